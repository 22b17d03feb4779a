using System.Text.Json;

namespace Mesh.Gateway.Admin.Live;

/// <summary>
/// A table that viewers follow: it knows what they have, and tells only what has changed. A row keeps its number as long as it is there. One round is
/// <see cref="Begin"/>, <see cref="Put"/> for each row, <see cref="End"/>, then <see cref="WriteChanges"/>. For callers that take turns.
/// </summary>
internal sealed class LiveTable(string name, params string[] columns)
{
    private readonly Dictionary<string, Row> _rows = [];
    private readonly List<Row> _added = [];
    private readonly List<(Row Row, int Column)> _changed = [];
    private readonly List<Row> _removed = [];
    private readonly Cell[] _next = new Cell[columns.Length];
    private int _round;
    private int _lastNumber;

    private sealed class Row(int number, string key, Cell[] cells)
    {
        public int Number => number;

        public string Key => key;

        public Cell[] Cells => cells;

        public int Round { get; set; }
    }

    /// <summary>Name of the table.</summary>
    public string Name => name;

    /// <summary>The row that is being made, a cell for each column.</summary>
    public Span<Cell> Next => _next;

    /// <summary>Begins a round.</summary>
    public void Begin()
    {
        _round++;
        _added.Clear();
        _changed.Clear();
        _removed.Clear();
    }

    /// <summary>Takes <see cref="Next"/> as the row of a key. A second row of the same key in a round is passed over.</summary>
    public void Put(string key)
    {
        if (!_rows.TryGetValue(key, out var row))
        {
            row = new Row(++_lastNumber, key, [.. _next]) { Round = _round };
            _rows.Add(key, row);
            _added.Add(row);
            return;
        }

        if (row.Round == _round) return;
        row.Round = _round;
        for (var i = 0; i < _next.Length; i++)
        {
            if (row.Cells[i] == _next[i]) continue;
            row.Cells[i] = _next[i];
            _changed.Add((row, i));
        }
    }

    /// <summary>Ends a round: rows that were not put are gone.</summary>
    public void End()
    {
        foreach (var (_, row) in _rows)
        {
            if (row.Round != _round) _removed.Add(row);
        }

        foreach (var row in _removed) _rows.Remove(row.Key);
    }

    /// <summary>Writes <c>"name":{"add":[[number,cell,…]],"set":[[number,column,cell,…]],"remove":[number]}</c>, or nothing when nothing has changed.</summary>
    public void WriteChanges(Utf8JsonWriter json)
    {
        if (_added.Count + _changed.Count + _removed.Count == 0) return;
        json.WriteStartObject(name);
        if (_added.Count > 0)
        {
            json.WriteStartArray("add"u8);
            foreach (var row in _added) Write(json, row);
            json.WriteEndArray();
        }

        if (_changed.Count > 0) WriteSet(json);
        if (_removed.Count > 0)
        {
            json.WriteStartArray("remove"u8);
            foreach (var row in _removed) json.WriteNumberValue(row.Number);
            json.WriteEndArray();
        }

        json.WriteEndObject();
    }

    /// <summary>Writes <c>"name":{"columns":[…],"rows":[[number,cell,…]]}</c>.</summary>
    public void WriteAll(Utf8JsonWriter json)
    {
        json.WriteStartObject(name);
        json.WriteStartArray("columns"u8);
        foreach (var column in columns) json.WriteStringValue(column);
        json.WriteEndArray();
        json.WriteStartArray("rows"u8);
        foreach (var (_, row) in _rows) Write(json, row);
        json.WriteEndArray();
        json.WriteEndObject();
    }

    private void WriteSet(Utf8JsonWriter json)
    {
        json.WriteStartArray("set"u8);
        Row? current = null;
        foreach (var (row, column) in _changed)
        {
            if (row != current)
            {
                if (current is not null) json.WriteEndArray();
                json.WriteStartArray();
                json.WriteNumberValue(row.Number);
                current = row;
            }

            json.WriteNumberValue(column);
            row.Cells[column].WriteTo(json);
        }

        json.WriteEndArray();
        json.WriteEndArray();
    }

    private static void Write(Utf8JsonWriter json, Row row)
    {
        json.WriteStartArray();
        json.WriteNumberValue(row.Number);
        foreach (var cell in row.Cells) cell.WriteTo(json);
        json.WriteEndArray();
    }
}
