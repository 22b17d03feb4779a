using System.Buffers;
using System.Globalization;
using System.Text;

namespace Mesh.Engine.Scraping.Orca;

/// <summary>
/// Reads the header in which a model server reports its load: <c>TEXT cpu_utilization=0.3, named_metrics.kv_cache_usage_perc=0.4</c>,
/// <c>JSON {"named_metrics": {…}}</c>, <c>BIN</c> with base64, or the base64 of <c>endpoint-load-metrics-bin</c>. vLLM writes the first two, in
/// answers that are not streamed, when the request asks for one with <see cref="FormatName"/>. Pure; TEXT allocates nothing. Thread-safe.
/// </summary>
public static class OrcaHeader
{
    /// <summary>The response's header for TEXT, JSON and BIN.</summary>
    public const string Name = "endpoint-load-metrics";

    /// <summary>The response's header for a protobuf message in base64, without a word before it.</summary>
    public const string BinaryName = "endpoint-load-metrics-bin";

    /// <summary>The request's header that asks vLLM for a report, <c>TEXT</c> or <c>JSON</c>.</summary>
    public const string FormatName = "endpoint-load-metrics-format";

    /// <summary>Longest value that is looked at; longer ones are passed over.</summary>
    public const int MaxLength = 8 << 10;
    private const int StackLength = 512;

    /// <summary>Reads the value of <see cref="Name"/>.</summary>
    /// <returns>False when it is in no form that is known, is broken, or tells nothing that is known.</returns>
    public static bool TryParse(ReadOnlySpan<byte> value, out OrcaReport report)
    {
        report = default;
        value = value.Trim(" \t"u8);
        if (value.Length > MaxLength) return false;
        if (TryCutWord(ref value, "TEXT"u8)) return TryParseText(value, out report);
        if (TryCutWord(ref value, "JSON"u8)) return OrcaJson.TryParse(value, out report);
        return TryCutWord(ref value, "BIN"u8) && OrcaBinary.TryParse(value, out report);
    }

    /// <summary>Reads the value of <see cref="Name"/> as a text of ASCII characters; others make it unreadable.</summary>
    /// <returns>False when it is in no form that is known, is broken, or tells nothing that is known.</returns>
    public static bool TryParse(ReadOnlySpan<char> value, out OrcaReport report) => TryParse(value, binary: false, out report);

    /// <summary>Reads the value of <see cref="BinaryName"/>.</summary>
    /// <returns>False when it is broken, or tells nothing that is known.</returns>
    public static bool TryParseBinary(ReadOnlySpan<byte> value, out OrcaReport report) => OrcaBinary.TryParse(value, out report);

    /// <summary>Reads the value of <see cref="BinaryName"/> as a text of ASCII characters.</summary>
    /// <returns>False when it is broken, or tells nothing that is known.</returns>
    public static bool TryParseBinary(ReadOnlySpan<char> value, out OrcaReport report) => TryParse(value, binary: true, out report);

    private static bool TryParse(ReadOnlySpan<char> value, bool binary, out OrcaReport report)
    {
        report = default;
        if (value.Length > MaxLength) return false;
        var rented = value.Length > StackLength ? ArrayPool<byte>.Shared.Rent(value.Length) : null;
        Span<byte> bytes = rented ?? stackalloc byte[StackLength];
        var isAscii = Ascii.FromUtf16(value, bytes, out var length) == OperationStatus.Done;
        var parsed = isAscii && (binary ? TryParseBinary(bytes[..length], out report) : TryParse(bytes[..length], out report));
        if (rented is not null) ArrayPool<byte>.Shared.Return(rented);
        return parsed;
    }

    // One entry that makes no sense makes only itself unknown: the others stand on their own.
    private static bool TryParseText(ReadOnlySpan<byte> value, out OrcaReport report)
    {
        report = default;
        foreach (var part in value.Split((byte)','))
        {
            var entry = value[part];
            var equals = entry.IndexOf((byte)'=');
            if (equals <= 0) continue;
            var name = entry[..equals].Trim(" \t"u8);
            if (!double.TryParse(entry[(equals + 1)..].Trim(" \t"u8), NumberStyles.Float, CultureInfo.InvariantCulture, out var number)) continue;
            if (name.StartsWith("named_metrics."u8)) report = report.WithNamed(name["named_metrics.".Length..], number);
            else if (name.StartsWith("utilization."u8)) report = report.WithNamed(name["utilization.".Length..], number);
            else report = report.With(name, number);
        }

        return !report.IsEmpty;
    }

    private static bool TryCutWord(ref ReadOnlySpan<byte> value, ReadOnlySpan<byte> word)
    {
        if (value.Length <= word.Length || !Ascii.EqualsIgnoreCase(value[..word.Length], word) || value[word.Length] is not ((byte)' ' or (byte)'\t')) return false;
        value = value[word.Length..].TrimStart(" \t"u8);
        return true;
    }
}
