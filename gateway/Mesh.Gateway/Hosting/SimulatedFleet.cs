using System.Net;
using System.Net.Sockets;
using Mesh.Core.Config;
using Mesh.Core.Endpoints;
using Mesh.Simulation.KvEvents;
using Mesh.Simulation.Server;

namespace Mesh.Gateway.Hosting;

/// <summary>Simulated vLLM servers at the addresses of a configuration, inside this process. Follows edits: new pods start, removed ones stop.</summary>
internal sealed partial class SimulatedFleet(double speed, ILoggerFactory loggers) : IAsyncDisposable
{
    private const string BaseModel = "meta-llama/Llama-3.1-8B-Instruct";

    private static readonly SimulatedModel[] Models = [new(BaseModel), new("food-review-0", BaseModel), new("food-review-1", BaseModel)];

    private readonly ILogger _log = loggers.CreateLogger<SimulatedFleet>();
    private readonly SemaphoreSlim _changing = new(1, 1);
    private readonly SortedDictionary<EndpointId, SimulatedVllmServer> _servers = [];

    /// <summary>Servers that run.</summary>
    public int Count => _servers.Count;

    /// <summary>Starts what is missing and stops what is gone.</summary>
    /// <exception cref="GatewayConfigurationException">An address cannot be opened.</exception>
    public async Task ApplyAsync(MeshConfig config)
    {
        await _changing.WaitAsync();
        try
        {
            var wanted = Wanted(config);
            foreach (var (endpoint, events) in wanted)
            {
                if (!_servers.ContainsKey(endpoint)) _servers.Add(endpoint, await StartAsync(endpoint, events));
            }

            foreach (var endpoint in _servers.Keys.Where(e => !wanted.ContainsKey(e)).ToArray())
            {
                _servers.Remove(endpoint, out var server);
                await server!.StopAsync();
            }
        }
        finally
        {
            _changing.Release();
        }
    }

    /// <summary>Follows an edit in the background; what cannot be opened is logged.</summary>
    public async void Follow(MeshConfig config)
    {
        try
        {
            await ApplyAsync(config);
        }
        catch (GatewayConfigurationException e)
        {
            CannotFollow(_log, e.Message);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _changing.WaitAsync();
        foreach (var server in _servers.Values) await server.KillAsync();
        _servers.Clear();
    }

    // With what each publishes where, as the pool is told to expect it.
    private static SortedDictionary<EndpointId, KvEventsConfig> Wanted(MeshConfig config)
    {
        var wanted = new SortedDictionary<EndpointId, KvEventsConfig>();
        foreach (var pool in config.Pools)
        {
            foreach (var endpoint in pool.Backends.SelectMany(b => b.Endpoints))
            {
                if (!wanted.TryAdd(endpoint.Id, pool.KvEvents) && pool.KvEvents.Enabled) wanted[endpoint.Id] = pool.KvEvents;
            }
        }

        return wanted;
    }

    private async Task<SimulatedVllmServer> StartAsync(EndpointId endpoint, KvEventsConfig events)
    {
        if (!IPEndPoint.TryParse(endpoint.Address, out var address))
        {
            throw new GatewayConfigurationException($"Endpoint {endpoint} is not ip:port and cannot be simulated.");
        }

        var options = new SimulatedVllmOptions { Host = address.Address.ToString(), Port = address.Port, Models = Models, Speed = speed };
        if (events.Enabled) options = options with { KvEvents = new KvEventOptions { Port = events.Port, ReplayPort = events.ReplayPort, Topic = events.Topic } };
        try
        {
            return await SimulatedVllmServer.StartAsync(options, CancellationToken.None);
        }
        catch (Exception e) when (e is IOException or SocketException)
        {
            throw new GatewayConfigurationException(
                $"Cannot open the simulated endpoint {endpoint}: {Innermost(e)}. Is another quick start running?", e);
        }
    }

    private static string Innermost(Exception e)
    {
        // Bounded: exceptions nest a few levels deep.
        for (var depth = 0; depth < 8 && e.InnerException is { } inner; depth++) e = inner;
        return e.Message.TrimEnd('.');
    }

    [LoggerMessage(1, LogLevel.Error, "{Message}")]
    private static partial void CannotFollow(ILogger log, string message);
}
