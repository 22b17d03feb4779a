using System.Net;
using System.Net.Sockets;
using Mesh.Gateway.Hosting;
using Mesh.Gateway.Upstream;
using Microsoft.Extensions.Logging.Abstractions;

namespace Mesh.Gateway.Rehearsing;

/// <summary>
/// Goes once through everything that a request goes through before anybody waits for it: code that has run once is compiled. A gateway of its own, with
/// a listener, an engine, counters and a log that nobody else sees, takes requests over the loopback interface and sends them to a server that this process
/// plays itself. What fails here is no reason not to start.
/// </summary>
internal sealed partial class GatewayRehearsal
{
    // More make the runtime compile the same code again, better, while others wait for the processor.
    private const int Rounds = 4;
    private static readonly TimeSpan MostTime = TimeSpan.FromSeconds(3);

    private GatewayRehearsal()
    {
    }

    /// <summary>Begins, on other threads than the caller's, and ends within 3 s whatever happens; never fails.</summary>
    /// <param name="options">Options of the gateway that will start: the rehearsal uses the same sockets and client.</param>
    /// <param name="time">Clock.</param>
    /// <param name="loggers">Where it says how long it took.</param>
    public static Task Begin(GatewayOptions options, TimeProvider time, ILoggerFactory loggers) => Task.Run(() => RunAsync(options, time, loggers.CreateLogger<GatewayRehearsal>()));

    private static async Task RunAsync(GatewayOptions options, TimeProvider time, ILogger log)
    {
        var began = time.GetTimestamp();
        var played = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _ = PlayAsync(options, time, played);
        try
        {
            // Nobody waits for its end, nor for what does not end in time.
            await played.Task.WaitAsync(MostTime, time);
            Rehearsed(log, time.GetElapsedTime(began).TotalMilliseconds);
        }
        catch (Exception e)
        {
            NotRehearsed(log, e.Message);
        }
    }

    private static async Task PlayAsync(GatewayOptions options, TimeProvider time, TaskCompletionSource played)
    {
        using var end = new CancellationTokenSource(MostTime, time);
        try
        {
            using var server = new RehearsalServer(end.Token);
            var listener = new IPEndPoint(IPAddress.Loopback, FreePort());
            var config = RehearsalEngine.Config(server.Address);
            await using var engine = new RehearsalEngine(config, time);
            var own = new GatewayOptions
            {
                Listeners = new Dictionary<string, string> { [RehearsalEngine.ListenerPort] = listener.ToString() },
                StateDirectory = "",
                DrainTimeout = TimeSpan.Zero,
                // The server here speaks HTTP/1.1 alone.
                Upstream = options.Upstream == UpstreamKind.Http2 ? UpstreamKind.Framework : options.Upstream,
                Sockets = options.Sockets,
            };
            await using var gateway = await GatewayHost.StartAsync(own, config, engine, time, NullLoggerFactory.Instance, isRehearsal: true);
            for (var round = 0; round < Rounds; round++) await RehearsalClient.PlayAsync(listener, end.Token);
            played.TrySetResult();
        }
        catch (Exception e)
        {
            played.TrySetException(e);
        }
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    [LoggerMessage(1, LogLevel.Debug, "Rehearsed in {Milliseconds:F0} ms.")]
    private static partial void Rehearsed(ILogger log, double milliseconds);

    [LoggerMessage(2, LogLevel.Information, "Could not rehearse; the first requests will take longer: {Message}")]
    private static partial void NotRehearsed(ILogger log, string message);
}
