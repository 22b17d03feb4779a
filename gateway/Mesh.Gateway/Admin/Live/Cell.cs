using System.Text.Json;

namespace Mesh.Gateway.Admin.Live;

/// <summary>One value of a live table: a number, a text, a truth, or nothing where it is not known.</summary>
internal readonly record struct Cell
{
    private readonly string? _text;
    private readonly double _number;
    private readonly Kind _kind;

    private Cell(Kind kind, double number, string? text)
    {
        _kind = kind;
        _number = number;
        _text = text;
    }

    private enum Kind : byte
    {
        Nothing,
        Number,
        Text,
        Truth,
    }

    /// <summary>A number; nothing where it is not finite.</summary>
    /// <param name="value">The number.</param>
    /// <param name="places">Digits after the point: what is rounded away is no change, and need not be sent.</param>
    public static Cell Of(double? value, int places = 0) =>
        value is { } number && double.IsFinite(number) ? new Cell(Kind.Number, Math.Round(number, places), null) : default;

    /// <summary>A text; nothing where there is none.</summary>
    public static Cell Of(string? value) => value is null ? default : new Cell(Kind.Text, 0, value);

    /// <summary>A truth.</summary>
    public static Cell Of(bool value) => new(Kind.Truth, value ? 1 : 0, null);

    /// <summary>Writes it as JSON has it.</summary>
    public void WriteTo(Utf8JsonWriter json)
    {
        switch (_kind)
        {
            case Kind.Number when _number is >= -1e15 and <= 1e15 && _number == (long)_number:
                json.WriteNumberValue((long)_number);
                break;
            case Kind.Number:
                json.WriteNumberValue(_number);
                break;
            case Kind.Text:
                json.WriteStringValue(_text);
                break;
            case Kind.Truth:
                json.WriteBooleanValue(_number != 0);
                break;
            default:
                json.WriteNullValue();
                break;
        }
    }
}
