using System.Net;
using System.Net.Sockets;

namespace Mesh.Testing.Net;

/// <summary>
/// Ports for what a test is about to start. They lie below those that systems give to outgoing connections: a port that was merely free a moment ago may be
/// the near end of somebody's connection by the time it is bound.
/// </summary>
public static class FreePorts
{
    private const int First = 20_000;

    /// <summary>Linux gives out ports from 32,768 by itself.</summary>
    private const int Count = 12_000;

    private static int _lastPort;
    private static int _lastAddress;

    /// <summary>A port of 127.0.0.1 that nobody has and that this process was not given before (until it has had 12,000).</summary>
    /// <exception cref="InvalidOperationException">Every one is taken.</exception>
    public static int Next() => Next(IPAddress.Loopback);

    /// <summary>The same at an address of this machine.</summary>
    /// <exception cref="InvalidOperationException">Every one is taken.</exception>
    public static int Next(IPAddress address)
    {
        for (var tries = 0; tries < Count; tries++)
        {
            // Two test processes that run at one time begin at different places.
            var port = First + (int)(((Environment.ProcessId * 37L) + (uint)Interlocked.Increment(ref _lastPort)) % Count);
            using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            try
            {
                socket.Bind(new IPEndPoint(address, port));
                return port;
            }
            catch (SocketException)
            {
                // Somebody has it.
            }
        }

        throw new InvalidOperationException($"No port of {address} from {First} to {First + Count - 1} is free.");
    }

    /// <summary>127.0.0.1 with a port of its own.</summary>
    public static IPEndPoint NextEndPoint() => new(IPAddress.Loopback, Next());

    /// <summary>A loopback address that no other call was given, with a port: for tests whose peers differ by address.</summary>
    public static IPEndPoint NextAddress()
    {
        var n = Interlocked.Increment(ref _lastAddress);
        var address = new IPAddress([127, (byte)(64 + (Environment.ProcessId % 120)), (byte)(n >> 8), (byte)((n & 0xff) | 1)]);
        return new IPEndPoint(address, Next(address));
    }
}
