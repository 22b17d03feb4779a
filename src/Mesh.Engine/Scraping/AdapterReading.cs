using System.Buffers.Text;
using System.Collections.Immutable;

namespace Mesh.Engine.Scraping;

/// <summary>
/// What <c>vllm:lora_requests_info</c> says. The server writes each state as a series of its own, whose value is the time of it, and keeps
/// the earlier ones on the page: the youngest counts. The lists are made anew only when its labels have changed.
/// </summary>
internal sealed class AdapterReading
{
    private byte[] _labels = [];
    private int _length = -1;
    private int _start;
    private int _end;
    private double _youngest;

    /// <summary>Adapters that one batch can hold; null when unknown.</summary>
    public int? Max { get; private set; }

    /// <summary>Adapters with running requests; empty when unknown.</summary>
    public ImmutableArray<string> Running { get; private set; } = [];

    /// <summary>Adapters with waiting requests; empty when unknown.</summary>
    public ImmutableArray<string> Waiting { get; private set; } = [];

    /// <summary>Another number when the youngest series is another one.</summary>
    public ulong Fingerprint => BitConverter.DoubleToUInt64Bits(_youngest);

    /// <summary>A new page begins.</summary>
    public void Begin() => _youngest = double.NegativeInfinity;

    /// <summary>Takes one series: where on the page its labels stand, and its value.</summary>
    public void Add(int start, int end, double time)
    {
        if (!double.IsFinite(time) || time < _youngest) return;
        _youngest = time;
        _start = start;
        _end = end;
    }

    /// <summary>The page has ended: reads the youngest series.</summary>
    public void End(ReadOnlySpan<byte> page)
    {
        if (double.IsNegativeInfinity(_youngest))
        {
            if (_length >= 0) Read(default);
            _length = -1;
            return;
        }

        var labels = page[_start.._end];
        if (_length >= 0 && labels.SequenceEqual(_labels.AsSpan(0, _length))) return;
        if (_labels.Length < labels.Length) _labels = new byte[Math.Max(labels.Length, 256)];
        labels.CopyTo(_labels);
        _length = labels.Length;
        Read(labels);
    }

    private void Read(ReadOnlySpan<byte> text)
    {
        Max = null;
        Running = [];
        Waiting = [];
        var labels = new PrometheusLabels(text);
        while (labels.MoveNext())
        {
            if (labels.Name.SequenceEqual("max_lora"u8)) Max = Number(labels.Value);
            else if (labels.Name.SequenceEqual("running_lora_adapters"u8)) Running = Names(labels.Value);
            else if (labels.Name.SequenceEqual("waiting_lora_adapters"u8)) Waiting = Names(labels.Value);
        }
    }

    private static int? Number(ReadOnlySpan<byte> value) =>
        Utf8Parser.TryParse(value, out int number, out var used) && used == value.Length && number >= 0 ? number : null;

    private static ImmutableArray<string> Names(ReadOnlySpan<byte> value) =>
        [.. PrometheusLabels.Decode(value).Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)];
}
