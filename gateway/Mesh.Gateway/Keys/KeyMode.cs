namespace Mesh.Gateway.Keys;

/// <summary>When keys are asked for.</summary>
internal enum KeyMode
{
    /// <summary>When any are configured; without them the gateway serves this machine alone and refuses to open other addresses.</summary>
    Auto,

    /// <summary>Always, also by an administrative listener on the loopback; without any configured the gateway does not start.</summary>
    Required,

    /// <summary>Never, wherever the gateway is open.</summary>
    Off,
}
