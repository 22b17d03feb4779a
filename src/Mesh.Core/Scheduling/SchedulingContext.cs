using Mesh.Core.Endpoints;
using Mesh.Core.Health;
using Mesh.Core.Metrics;
using Mesh.Core.PrefixCache;
using Mesh.Core.Routing;

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

    /// <summary>Blocks of the prompt that each endpoint holds, by slot; empty when the prompt has no chain.</summary>
    public ReadOnlySpan<int> HeldBlocks { get; init; }

    /// <summary>Lengths of the blocks.</summary>
    public PrefixLayout Layout { get; init; } = PrefixLayout.Growing;

    /// <summary>The request to place.</summary>
    public readonly ref readonly RouteRequest Request;

    /// <summary>True when any healthy endpoint may take the request: nothing but health needs to be looked at.</summary>
    public bool FitsEverywhere { get; init; }

    /// <summary>LoRA adapter that the request names; null when its model is not known as one.</summary>
    public string? Adapter { get; init; }

    /// <summary>Prompt tokens that an endpoint is believed to hold.</summary>
    public int TokensHeldBy(EndpointState endpoint) => HeldBlocks.IsEmpty ? 0 : Math.Min(Layout.TokensIn(HeldBlocks[endpoint.Slot]), Request.PromptTokens);

    /// <summary>Its model, when at least one endpoint lists it.</summary>
    public ModelName? Model { get; }

    /// <summary>The pool's endpoints, for rules that look up ids.</summary>
    public EndpointTable Endpoints { get; }

    /// <summary>Which samples still count.</summary>
    public SampleFreshness Freshness { get; }

    /// <summary>How far failures have faded.</summary>
    public Decay FailureDecay { get; }
}
