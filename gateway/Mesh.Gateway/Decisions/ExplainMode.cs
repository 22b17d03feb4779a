namespace Mesh.Gateway.Decisions;

/// <summary>Whose <c>x-mesh-explain: 1</c> is answered.</summary>
internal enum ExplainMode
{
    /// <summary>Nobody's.</summary>
    Off,

    /// <summary>That of clients on this machine.</summary>
    Loopback,

    /// <summary>Everyone's. It tells addresses and loads of endpoints.</summary>
    Everyone,
}
