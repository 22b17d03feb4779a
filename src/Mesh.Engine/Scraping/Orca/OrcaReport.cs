namespace Mesh.Engine.Scraping.Orca;

/// <summary>
/// What a model server says of its own load in a response's header (ORCA, <c>xds.data.orca.v3.OrcaLoadReport</c>). Null means that it was not
/// told, or made no sense. Each figure is as old as the response's head.
/// </summary>
public readonly record struct OrcaReport
{
    /// <summary>The server's own measure of its load, 0 and up (<c>application_utilization</c>).</summary>
    public double? ApplicationUtilizationRatio { get; init; }

    /// <summary>CPU utilization, 0 and up (<c>cpu_utilization</c>).</summary>
    public double? CpuUtilizationRatio { get; init; }

    /// <summary>Memory utilization, 0–1 (<c>mem_utilization</c>).</summary>
    public double? MemoryUtilizationRatio { get; init; }

    /// <summary>Share of KV-cache blocks in use, 0–1 (named metric <c>kv_cache_usage_perc</c>, or <c>kv_cache_utilization</c>).</summary>
    public double? KvUtilizationRatio { get; init; }

    /// <summary>Requests in the engine's queue, 0 and up (named metric <c>num_requests_waiting</c>).</summary>
    public int? WaitingRequests { get; init; }

    /// <summary>Requests in the running batch, 0 and up (named metric <c>num_requests_running</c>).</summary>
    public int? RunningRequests { get; init; }

    /// <summary>True when nothing was told.</summary>
    public bool IsEmpty => this == default;

    /// <summary>The report with one more figure of its own fields; what is unknown or makes no sense changes nothing.</summary>
    internal OrcaReport With(ReadOnlySpan<byte> name, double value)
    {
        if (!double.IsFinite(value) || value < 0) return this;
        if (name.SequenceEqual("application_utilization"u8) || name.SequenceEqual("applicationUtilization"u8)) return this with { ApplicationUtilizationRatio = value };
        if (name.SequenceEqual("cpu_utilization"u8) || name.SequenceEqual("cpuUtilization"u8)) return this with { CpuUtilizationRatio = value };
        if (name.SequenceEqual("mem_utilization"u8) || name.SequenceEqual("memUtilization"u8)) return this with { MemoryUtilizationRatio = Share(value) };
        return this;
    }

    /// <summary>The report with one more metric that the server has named; one that nobody knows changes nothing.</summary>
    internal OrcaReport WithNamed(ReadOnlySpan<byte> name, double value)
    {
        if (!double.IsFinite(value) || value < 0) return this;
        if (name.SequenceEqual("kv_cache_usage_perc"u8) || name.SequenceEqual("kv_cache_utilization"u8)) return this with { KvUtilizationRatio = Share(value) };
        if (name.SequenceEqual("num_requests_waiting"u8)) return this with { WaitingRequests = Count(value) };
        if (name.SequenceEqual("num_requests_running"u8)) return this with { RunningRequests = Count(value) };
        return this;
    }

    // As on pages of metrics: rounding in the server may put a full cache a hair above 1.
    private static double? Share(double value) => value <= 1.000001 ? Math.Min(value, 1) : null;

    private static int? Count(double value) => value <= int.MaxValue ? (int)Math.Round(value) : null;
}
