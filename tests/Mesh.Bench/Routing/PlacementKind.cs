namespace Mesh.Bench.Routing;

/// <summary>What makes one placement another matter than the next.</summary>
public enum PlacementKind
{
    /// <summary>Any endpoint may take the request.</summary>
    Usual,

    /// <summary>Two endpoints have failed it.</summary>
    Retry,

    /// <summary>It names four endpoints.</summary>
    Subset,

    /// <summary>It belongs to a session that keeps to its endpoint.</summary>
    Session,

    /// <summary>It asks for one of 100 LoRA adapters; an endpoint has slots for four.</summary>
    Adapter,

    /// <summary>The endpoints tell what is in their caches.</summary>
    Events,

    /// <summary>The profile scores every endpoint by its requests in flight.</summary>
    Scored,
}
