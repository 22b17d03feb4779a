using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Serialization;
using Mesh.Gateway.Hosting;

namespace Mesh.Gateway.Drains;

/// <summary><c>drains.json</c> of the state directory. It is written whole beside the old one, brought to the disk and moved into its place: whoever reads it finds the old or the new.</summary>
internal sealed class DrainFile(string directory)
{
    /// <summary>Name within the state directory.</summary>
    public const string Name = "drains.json";

    private const int Schema = 1;
    private const int MaxBytes = 4 << 20;

    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        WriteIndented = true,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    };

    /// <summary>Where it is.</summary>
    public string Path { get; } = System.IO.Path.Combine(directory, Name);

    /// <summary>Reads it; nothing drained when there is none yet.</summary>
    /// <exception cref="GatewayConfigurationException">It cannot be read: to start without it would silently send requests to what an operator drained.</exception>
    public DrainList Read()
    {
        try
        {
            if (!File.Exists(Path)) return DrainList.Empty;
            if (new FileInfo(Path).Length > MaxBytes) throw new InvalidDataException($"it is larger than {MaxBytes} bytes");
            var stored = JsonSerializer.Deserialize<Stored>(File.ReadAllBytes(Path), Json) ?? throw new InvalidDataException("it is empty");
            if (stored.Schema != Schema) throw new InvalidDataException($"its schema is {stored.Schema}, and this gateway knows {Schema}");
            return new DrainList(
                [.. (stored.Drains ?? []).Take(DrainList.MostDrains).Select(d => new Drain(TargetOf(d), d.Reason ?? "", d.By ?? "", d.Time)).DistinctBy(d => d.Target).OrderBy(d => d.Target)],
                [.. (stored.History ?? []).Take(DrainList.MostEvents).Select(e => new DrainEvent(e.Time, e.Action != "undrain", TargetOf(e), e.Reason ?? "", e.By ?? "", e.Forced ?? false))]);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or JsonException or InvalidDataException)
        {
            throw new GatewayConfigurationException($"{Path} cannot be read: {e.Message}. Mend it, or remove it to start with nothing drained.", e);
        }
    }

    /// <summary>Writes it.</summary>
    /// <exception cref="IOException">It cannot be written; the old one stays.</exception>
    /// <exception cref="UnauthorizedAccessException">Likewise.</exception>
    public void Write(DrainList list)
    {
        var stored = new Stored
        {
            Schema = Schema,
            Drains = [.. list.Drains.Select(d => EntryOf(d.Target, d.Since, d.Reason, d.By))],
            History = [.. list.History.Select(e => EntryOf(e.Target, e.Time, e.Reason, e.By) with { Action = e.Drained ? "drain" : "undrain", Forced = e.Forced ? true : null })],
        };
        Directory.CreateDirectory(directory);
        var next = Path + ".new";
        using (var file = new FileStream(next, FileMode.Create, FileAccess.Write))
        {
            JsonSerializer.Serialize(file, stored, Json);
            file.Flush(flushToDisk: true);
        }

        File.Move(next, Path, overwrite: true);
    }

    private static DrainTarget TargetOf(Entry entry)
    {
        if (entry.Name is not { Length: > 0 } name || !DrainKinds.TryParse(entry.Kind, out var kind)) throw new InvalidDataException("an entry has no kind or no name");
        return new DrainTarget(kind, name, entry.Pool);
    }

    private static Entry EntryOf(DrainTarget target, DateTimeOffset time, string reason, string by) =>
        new() { Kind = DrainKinds.NameOf(target.Kind), Name = target.Name, Pool = target.Pool, Time = time, Reason = reason, By = by };

    /// <summary>The file.</summary>
    private sealed record Stored
    {
        public int Schema { get; init; }

        public ImmutableArray<Entry>? Drains { get; init; }

        public ImmutableArray<Entry>? History { get; init; }
    }

    /// <summary>One entry of either list.</summary>
    private sealed record Entry
    {
        public string? Action { get; init; }

        public string? Kind { get; init; }

        public string? Name { get; init; }

        public string? Pool { get; init; }

        public DateTimeOffset Time { get; init; }

        public string? Reason { get; init; }

        public string? By { get; init; }

        public bool? Forced { get; init; }
    }
}
