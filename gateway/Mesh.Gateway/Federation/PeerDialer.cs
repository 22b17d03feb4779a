using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;

namespace Mesh.Gateway.Federation;

/// <summary>
/// Connections between peers. The system repeats a lost first packet after a whole second, and then ever later; over a link that has just healed that is most
/// of the time until it is used again. So another attempt begins beside the ones before while none has been answered. What a connection sends and nobody
/// confirms ends it, at both sides.
/// </summary>
internal static class PeerDialer
{
    private static readonly TimeSpan Stagger = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan Unconfirmed = TimeSpan.FromSeconds(4);

    private const int MostAttempts = 8;
    private const int UserTimeout = 18;

    /// <summary>Connects; the attempt that is answered first counts.</summary>
    /// <param name="address">Where to.</param>
    /// <param name="cancellationToken">Bounds it.</param>
    /// <exception cref="SocketException">Nobody listens there.</exception>
    public static async ValueTask<Stream> DialAsync(DnsEndPoint address, CancellationToken cancellationToken)
    {
        using var ends = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var attempts = new List<Task<Socket>>(MostAttempts);
        Task<Socket>? first = null;
        try
        {
            while (first is null)
            {
                if (attempts.Count < MostAttempts) attempts.Add(ConnectAsync(address, ends.Token));
                var answered = Task.WhenAny(attempts);
                if (attempts.Count < MostAttempts) await Task.WhenAny(answered, Task.Delay(Stagger, ends.Token));
                else await answered;
                cancellationToken.ThrowIfCancellationRequested();
                if (answered.IsCompleted) first = await answered;
            }

            return new NetworkStream(await first, ownsSocket: true);
        }
        finally
        {
            await ends.CancelAsync();
            foreach (var attempt in attempts)
            {
                if (!ReferenceEquals(attempt, first)) _ = DropAsync(attempt);
            }
        }
    }

    /// <summary>A listening socket whose connections end when what they send is not confirmed.</summary>
    public static Socket Listen(EndPoint address)
    {
        var socket = SocketTransportOptions.CreateDefaultBoundListenSocket(address);
        Bound(socket);
        return socket;
    }

    private static async Task<Socket> ConnectAsync(DnsEndPoint address, CancellationToken cancellationToken)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            Bound(socket);
            await socket.ConnectAsync(address, cancellationToken);
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private static async Task DropAsync(Task<Socket> attempt)
    {
        try
        {
            (await attempt).Dispose();
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // It has come to nothing by itself.
        }
    }

    private static void Bound(Socket socket)
    {
        if (!OperatingSystem.IsLinux()) return;
        Span<byte> value = stackalloc byte[sizeof(int)];
        BitConverter.TryWriteBytes(value, (int)Unconfirmed.TotalMilliseconds);
        socket.SetRawSocketOption((int)SocketOptionLevel.Tcp, UserTimeout, value);
    }
}
