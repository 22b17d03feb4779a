namespace Mesh.Simulation.Faults.Script;

/// <summary>What breaks; the target's meaning is told with each. Names in scripts are these in kebab case.</summary>
internal enum FaultKind
{
    /// <summary>The engine's process dies and starts again after the duration, its cache empty: endpoint.</summary>
    EndpointCrash,

    /// <summary>Nothing is computed and nothing answered until the duration is over: endpoint.</summary>
    EndpointHang,

    /// <summary>Every step takes eight times as long: endpoint.</summary>
    EndpointSlow,

    /// <summary>Requests are answered with 500: endpoint.</summary>
    EndpointErrors,

    /// <summary>The queue counts as full, requests are answered with 503: endpoint.</summary>
    EndpointFull,

    /// <summary>The engine sleeps, with an empty cache when it wakes; it answers its probes: endpoint.</summary>
    EndpointSleep,

    /// <summary>The metrics page does not come: endpoint.</summary>
    MetricsMissing,

    /// <summary>The metrics page comes late, behind newer ones: endpoint.</summary>
    MetricsLate,

    /// <summary>The metrics page lacks its gauges: endpoint.</summary>
    MetricsPartial,

    /// <summary>The process dies; its successor has the same name and a higher epoch: gateway.</summary>
    GatewayCrash,

    /// <summary>Nothing passes between the gateway and its engine: gateway.</summary>
    GatewayCut,

    /// <summary>The pool's state is lost; a new one starts with a higher epoch: region.</summary>
    EngineRestart,

    /// <summary>Nothing passes between the region and the others: region.</summary>
    RegionCut,

    /// <summary>The next configuration leaves the endpoint out, the one after the duration has it again: endpoint.</summary>
    EndpointRemoved,

    /// <summary>The region's backends get other targets and another share: region.</summary>
    PolicyChange,

    /// <summary>Other models are listed, and none of them may be those that clients ask for: endpoint.</summary>
    ModelsChange,

    /// <summary>Every client that is waiting or reading leaves: gateway.</summary>
    ClientsLeave,
}
