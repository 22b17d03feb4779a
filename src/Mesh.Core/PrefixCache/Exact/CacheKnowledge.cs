namespace Mesh.Core.PrefixCache.Exact;

/// <summary>Where the knowledge of an endpoint's cache comes from.</summary>
public enum CacheKnowledge
{
    /// <summary>From what was routed there alone.</summary>
    History,

    /// <summary>From its cache events, which are being caught up with or have a part missing, and from what was routed there.</summary>
    Degraded,

    /// <summary>From its cache events alone, where the prompt is known to them.</summary>
    Exact,
}

/// <summary>Where an endpoint keeps a block.</summary>
public enum CacheTier
{
    /// <summary>In the accelerator's memory: used at once.</summary>
    Gpu,

    /// <summary>Offloaded to the host's memory or a store: has to be loaded first, which costs a part of what it saves.</summary>
    Offload,
}
