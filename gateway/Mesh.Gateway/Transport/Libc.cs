using System.Runtime.InteropServices;

namespace Mesh.Gateway.Transport;

/// <summary>The system calls of <see cref="SocketLoop"/>, as Linux has them on x64 and arm64.</summary>
internal static unsafe partial class Libc
{
    public const uint In = 0x1;
    public const uint Out = 0x4;
    public const uint Error = 0x8;
    public const uint HangUp = 0x10;
    public const uint ReadHangUp = 0x2000;
    public const uint EdgeTriggered = 1u << 31;

    public const int Add = 1;

    public const int Interrupted = 4;
    public const int TryAgain = 11;
    public const int InProgress = 115;

    private const int CloseOnExec = 0x80000;
    private const int DoNotWait = 0x40;
    private const int NoSignal = 0x4000;

    /// <summary>Bytes of one <c>struct epoll_event</c>; x64 packs it.</summary>
    public static int EventBytes { get; } = RuntimeInformation.ProcessArchitecture == Architecture.X64 ? 12 : 16;

    /// <summary>Where in an event the caller's eight bytes stand.</summary>
    public static int DataOffset { get; } = RuntimeInformation.ProcessArchitecture == Architecture.X64 ? 4 : 8;

    /// <summary>True where these calls are what they are taken for.</summary>
    public static bool IsSupported { get; } = OperatingSystem.IsLinux() && RuntimeInformation.ProcessArchitecture is Architecture.X64 or Architecture.Arm64;

    /// <summary>An epoll instance; −1 on failure.</summary>
    public static int CreateEpoll() => epoll_create1(CloseOnExec);

    /// <summary>Receives without waiting; −1 with the reason in <see cref="Marshal.GetLastPInvokeError"/>.</summary>
    public static int Receive(SafeHandle socket, Span<byte> buffer)
    {
        fixed (byte* bytes = buffer) return (int)recv(socket, bytes, (nuint)buffer.Length, DoNotWait);
    }

    /// <summary>Sends without waiting; −1 with the reason in <see cref="Marshal.GetLastPInvokeError"/>.</summary>
    public static int Send(SafeHandle socket, ReadOnlySpan<byte> bytes)
    {
        fixed (byte* first = bytes) return (int)send(socket, first, (nuint)bytes.Length, DoNotWait | NoSignal);
    }

    /// <summary>Begins to connect a socket that does not block.</summary>
    public static int Connect(SafeHandle socket, ReadOnlySpan<byte> address)
    {
        fixed (byte* first = address) return connect(socket, first, (uint)address.Length);
    }

    [LibraryImport("libc", SetLastError = true)]
    public static partial int epoll_ctl(int epoll, int operation, SafeHandle socket, byte* epollEvent);

    [LibraryImport("libc", SetLastError = true)]
    public static partial int epoll_wait(int epoll, byte* events, int count, int timeoutMs);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int epoll_create1(int flags);

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint recv(SafeHandle socket, byte* buffer, nuint length, int flags);

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint send(SafeHandle socket, byte* buffer, nuint length, int flags);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int connect(SafeHandle socket, byte* address, uint length);
}
