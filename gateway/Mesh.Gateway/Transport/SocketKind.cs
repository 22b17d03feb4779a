namespace Mesh.Gateway.Transport;

/// <summary>On which sockets connections live, towards clients and, in clear text, towards model servers.</summary>
internal enum SocketKind
{
    /// <summary><see cref="SocketLoop"/>s on Linux on x64 and arm64; the framework's elsewhere.</summary>
    Auto,

    /// <summary>The framework's.</summary>
    Framework,
}
