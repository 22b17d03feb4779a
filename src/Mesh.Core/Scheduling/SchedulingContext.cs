using Mesh.Core.Endpoints;
using Mesh.Core.Health;
using Mesh.Core.Metrics;
using Mesh.Core.PrefixCache;
using Mesh.Core.PrefixCache.Crowds;
using Mesh.Core.Routing;
using Mesh.Core.Scheduling.Cost;

namespace Mesh.Core.Scheduling;

/// <summary>Everything that a rule may look at besides the candidates: the request, the time, and what was looked up for it once.</summary>
internal readonly ref struct SchedulingContext
{
    public SchedulingContext(
        ref readonly RouteRequest request, ModelName? model, EndpointTable endpoints, SampleFreshness freshness, Decay failureDecay)
    {
        Request = ref request;
        Model = model;
        Endpoints = endpoints;
        Freshness = freshness;
        FailureDecay = failureDecay;
    }

    /// <summary>Blocks of the prompt that each endpoint holds, by slot; empty when the prompt has no chain, and where <see cref="Holders"/> tells it.</summary>
    public ReadOnlySpan<int> HeldBlocks { get; init; }

    /// <summary>The same in a large pool, without a look at every endpoint; null elsewhere.</summary>
    public IPromptHolders? Holders { get; init; }

    /// <summary>Blocks of the prompt that the endpoint in a slot holds.</summary>
    public int HeldBy(int slot) => Holders is not null ? Holders.Of(slot) : HeldBlocks.IsEmpty ? 0 : HeldBlocks[slot];

    /// <summary>Lengths of the blocks.</summary>
    public PrefixLayout Layout { get; init; } = PrefixLayout.Growing;

    /// <summary>The request to place.</summary>
    public readonly ref readonly RouteRequest Request;

    /// <summary>True when any healthy endpoint may take the request, those that have failed it aside: nothing else needs to be looked at.</summary>
    public bool FitsEverywhere { get; init; }

    /// <summary>LoRA adapter that the request names; null when its model is not known as one.</summary>
    public string? Adapter { get; init; }

    /// <summary>What work costs; null where nothing is predicted.</summary>
    public CostModel? Costs { get; init; }

    /// <summary>Now, in milliseconds since the pool's start.</summary>
    public double NowMs { get; init; }

    /// <summary>Now, since the pool's start.</summary>
    public TimeSpan Now => TimeSpan.FromMilliseconds(NowMs);

    /// <summary>Predicted time of this prompt's uncached part on an endpoint, in milliseconds, at the speed learned of it; NaN where nothing is predicted.</summary>
    public double PredictOwnMs(EndpointState endpoint) => PredictOwnMs(endpoint, endpoint.Work.PrefillSpeedRatio);

    /// <summary>The same at another speed: 1 is that of the step-time table.</summary>
    public double PredictOwnMs(EndpointState endpoint, double speedRatio)
    {
        if (Costs is null) return double.NaN;
        var prompt = Math.Max(1, Request.PromptTokens);
        // Even a prompt that is cached as a whole has its last token computed.
        var cached = Math.Min(TokensHeldBy(endpoint), prompt - 1);
        return (Costs.Curve.PromptMs(prompt - cached, cached) * speedRatio)
            + (WorkCurve.Steps(prompt - cached) * Endpoints.Costs.Rows[endpoint.Slot].StepIncrementMs);
    }

    /// <summary>Predicted time to the first token there, in milliseconds: wait + what waits in the pool for it + own + round trip; NaN where nothing is predicted.</summary>
    public double PredictTtftMs(EndpointState endpoint) =>
        PredictOwnMs(endpoint) + endpoint.Work.WaitMs(NowMs) + endpoint.Work.QueuedMs + (Costs is null ? 0 : Endpoints.Costs.Rows[endpoint.Slot].RoundTripMs);

    /// <summary>Predicted time per output token there with one stream more, in milliseconds; NaN where nothing is predicted.</summary>
    public double PredictTpotMs(EndpointState endpoint) => Costs is null ? double.NaN : endpoint.Work.NextStepMs(Costs);

    /// <summary>Prompt tokens that an endpoint is believed to hold.</summary>
    public int TokensHeldBy(EndpointState endpoint) => Math.Min(Layout.TokensIn(HeldBy(endpoint.Slot)), Request.PromptTokens);

    /// <summary>Its model, when at least one endpoint lists it.</summary>
    public ModelName? Model { get; }

    /// <summary>The pool's endpoints, for rules that look up ids.</summary>
    public EndpointTable Endpoints { get; }

    /// <summary>Which samples still count.</summary>
    public SampleFreshness Freshness { get; }

    /// <summary>How far failures have faded.</summary>
    public Decay FailureDecay { get; }
}
