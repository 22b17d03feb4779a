using System.Collections.Immutable;
using Mesh.Core.Config;
using Mesh.Core.Endpoints;
using Mesh.Core.Health;

namespace Mesh.Simulation.Faults.Judging;

/// <summary>What a pool must believe of one endpoint, by the rules and from what it was told, whatever it made of that.</summary>
internal sealed class EndpointShadow
{
    private int _successes;
    private int _failures;
    private long _lastProbe = long.MinValue;
    private long _lastSample = long.MinValue;
    private EndpointHealth _verdict;
    private bool _asleep;

    /// <summary>Models that it lists; default while it has not told.</summary>
    public ImmutableArray<string> Models { get; set; }

    /// <summary>True when it may take requests for a model; null stands for no model.</summary>
    public bool Serves(string? model) => model is null || Models.IsDefault || Models.Contains(model);

    /// <summary>Requests in flight.</summary>
    public int InFlight { get; set; }

    /// <summary>Prompt and expected output tokens of those.</summary>
    public long Tokens { get; set; }

    /// <summary>Prompt tokens of those that have not answered.</summary>
    public long PrefillTokens { get; set; }

    /// <summary>Failures in a row.</summary>
    public int FailuresInARow { get; set; }

    /// <summary>Ejections as last seen.</summary>
    public int Ejections { get; set; }

    /// <summary>Health, sleep counted in.</summary>
    public EndpointHealth Health => _asleep && _verdict == EndpointHealth.Healthy ? EndpointHealth.Unhealthy : _verdict;

    /// <summary>Takes a probe's result.</summary>
    public void Observe(ProbeResult probe, HealthCheckConfig check)
    {
        if (probe.Timestamp < _lastProbe) return;
        _lastProbe = probe.Timestamp;
        _successes = probe.Success ? _successes + 1 : 0;
        _failures = probe.Success ? 0 : _failures + 1;
        if (_successes >= check.HealthyThreshold) _verdict = EndpointHealth.Healthy;
        if (_failures >= check.UnhealthyThreshold) _verdict = EndpointHealth.Unhealthy;
    }

    /// <summary>Takes a sample.</summary>
    public void Observe(EndpointSample sample)
    {
        if (sample.Timestamp < _lastSample) return;
        _lastSample = sample.Timestamp;
        _asleep = sample.IsAsleep;
    }
}
