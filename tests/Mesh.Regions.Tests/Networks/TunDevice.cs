using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace Mesh.Regions.Tests.Networks;

/// <summary>A network interface whose packets this process reads and writes; it may live in another network namespace than the process.</summary>
internal sealed partial class TunDevice : IDisposable
{
    /// <summary>Largest packet.</summary>
    public const int MaxBytes = 1500;

    private const int OpenReadWrite = 2;
    private const nuint SetInterface = 0x400454ca;
    private const short TunWithoutHeader = 0x1001;
    private const int RequestBytes = 40;
    private const int NameBytes = 16;

    private readonly SafeFileHandle _handle;

    /// <summary>Makes an interface.</summary>
    /// <param name="name">Its name, at most 15 characters.</param>
    /// <exception cref="IOException">It may not be made here.</exception>
    public TunDevice(string name)
    {
        Name = name;
        var descriptor = OpenFile("/dev/net/tun", OpenReadWrite);
        if (descriptor < 0) throw new IOException($"/dev/net/tun cannot be opened: {Marshal.GetLastPInvokeErrorMessage()}");
        _handle = new SafeFileHandle(descriptor, ownsHandle: true);
        var request = new byte[RequestBytes];
        Encoding.ASCII.GetBytes(name, request);
        BitConverter.TryWriteBytes(request.AsSpan(NameBytes), TunWithoutHeader);
        if (Control(descriptor, SetInterface, request) < 0) throw new IOException($"interface {name} cannot be made: {Marshal.GetLastPInvokeErrorMessage()}");
    }

    public string Name { get; }

    /// <summary>Waits for a packet; its length, or 0 or less once the device is closed.</summary>
    public int Read(byte[] packet) => (int)ReadFile(_handle, packet, (nuint)packet.Length);

    /// <summary>Sends a packet; one that the interface does not take is lost, as packets are.</summary>
    public void Write(ReadOnlySpan<byte> packet) => _ = WriteFile(_handle, packet.ToArray(), (nuint)packet.Length);

    public void Dispose() => _handle.Dispose();

    /// <summary>Runs <c>ip</c>; throws with what it says when it fails.</summary>
    public static void Ip(string arguments)
    {
        using var process = Process.Start(new ProcessStartInfo("ip", arguments) { RedirectStandardError = true, UseShellExecute = false })!;
        var error = process.StandardError.ReadToEnd();
        process.WaitForExit();
        if (process.ExitCode != 0) throw new IOException($"ip {arguments}: {error.Trim()}");
    }

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int OpenFile(string path, int flags);

    [LibraryImport("libc", EntryPoint = "ioctl", SetLastError = true)]
    private static partial int Control(int descriptor, nuint request, byte[] argument);

    [LibraryImport("libc", EntryPoint = "read", SetLastError = true)]
    private static partial nint ReadFile(SafeFileHandle descriptor, byte[] buffer, nuint length);

    [LibraryImport("libc", EntryPoint = "write", SetLastError = true)]
    private static partial nint WriteFile(SafeFileHandle descriptor, byte[] buffer, nuint length);
}
