using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Text.Json;
using Mesh.Core.Endpoints;
using Mesh.Core.Sharding;
using Mesh.Regions.Tests.Support;
using Mesh.Simulation.Server;
using Mesh.Testing.Net;
using RegionalManifests = Mesh.Regions.Tests.Support.RegionManifests;

namespace Mesh.Silo.Tests.Federation;

/// <summary>
/// Two regions of real processes on the loopback interface: one of two silos, two gateways and a Redis, one of a single gateway with its engine inside. Each
/// has two simulated model servers, eight requests at a time for every one.
/// </summary>
public abstract class TwoRegions : IAsyncLifetime
{
    /// <summary>Requests that one region takes.</summary>
    internal const int Capacity = 16;

    private static readonly HttpClient Client = new() { Timeout = TimeSpan.FromSeconds(5) };
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(120);
    private readonly RegionalManifests _manifests;
    private readonly bool _namesPeers;
    private readonly DirectoryInfo _state = Directory.CreateTempSubdirectory("mesh-silo-state-");
    private readonly int _redisPort = FreePorts.Next();
    private readonly List<SimulatedVllmServer> _servers = [];
    private readonly (int Silo, int ForGateways, int Admin)[] _siloPorts =
        [.. Enumerable.Range(0, 2).Select(_ => (FreePorts.Next(), FreePorts.Next(), FreePorts.Next()))];
    private OwnProcess? _redis;

    /// <param name="silosHaveConfiguration">True when the config cluster is the silos'.</param>
    /// <param name="shards">Shards of the silos' pool, 1 or 2; of two each has one model server.</param>
    /// <param name="namesPeers">False when the silos and their gateways know their peer from the manifests alone; these are the silos' then.</param>
    protected TwoRegions(bool silosHaveConfiguration, int shards = 1, bool namesPeers = true)
    {
        (OfSilos, OfEngine) = silosHaveConfiguration ? (0, 1) : (1, 0);
        _namesPeers = namesPeers;
        _manifests = ManifestsFor(OfSilos, shards);
        Shards = shards;
        var ports = Enumerable.Range(0, 9).Select(_ => FreePorts.Next()).ToArray();
        Embedded = new RegionProcess(
            RegionalManifests.Regions[OfEngine], IPAddress.Loopback, (ports[0], ports[1], ports[2]), () => new ProcessStartInfo("dotnet"),
            [
                RegionProcess.Program, .. Common(OfEngine), "--simulate=true", $"--Mesh:Listeners:80=127.0.0.1:{ports[0]}", $"--admin=127.0.0.1:{ports[1]}",
                $"--peers-at=127.0.0.1:{ports[2]}", $"--peer={RegionalManifests.Regions[OfSilos]}=http://127.0.0.1:{ports[5]},http://127.0.0.1:{ports[8]}",
            ]);
        Silos = [.. Enumerable.Range(0, 2).Select(i => Process(
            $"silo-{i}", (0, _siloPorts[i].Admin, 0),
            // Nothing is opened there: it says that there are peers, named or not.
            $"--peers-at={Embedded.Peers}", $"--Silo:Shards={shards}",
            "--Silo:Role=Silo", $"--Silo:Port={_siloPorts[i].Silo}", $"--Silo:GatewayPort={_siloPorts[i].ForGateways}", $"--Silo:Admin=127.0.0.1:{_siloPorts[i].Admin}"))];
        Gateways = [.. Enumerable.Range(0, 2).Select(i => Process(
            $"gateway-{i}", (ports[3 + (3 * i)], ports[4 + (3 * i)], ports[5 + (3 * i)]),
            "--Silo:Role=Gateway", $"--Mesh:Listeners:80=127.0.0.1:{ports[3 + (3 * i)]}", $"--admin=127.0.0.1:{ports[4 + (3 * i)]}", $"--peers-at=127.0.0.1:{ports[5 + (3 * i)]}"))];
    }

    /// <summary>Which of <see cref="RegionalManifests.Regions"/> the silos are; the first has the config cluster.</summary>
    internal int OfSilos { get; }

    /// <summary>Which of them the gateway with its engine is.</summary>
    internal int OfEngine { get; }

    /// <summary>Shards of the silos' pool.</summary>
    internal int Shards { get; }

    /// <summary>Most connections of the silos' region to the other, over a second after the start.</summary>
    internal int ConnectionsToThePeer { get; private set; }

    /// <summary>The same of the other to the gateways of the silos' region.</summary>
    internal int ConnectionsFromThePeer { get; private set; }

    /// <summary>The region of one process.</summary>
    internal RegionProcess Embedded { get; }

    internal RegionProcess[] Silos { get; }

    internal RegionProcess[] Gateways { get; }

    internal RegionalManifests Manifests => _manifests;

    /// <summary>Addresses of a region's model servers begin so.</summary>
    internal string Network(int region) => _manifests.Networks[region];

    public async Task InitializeAsync()
    {
        if (ProcessRegion.WhyNot is not null) return;
        _redis = OwnProcess.Start("redis", "redis-server", ["--port", $"{_redisPort}", "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", _state.FullName]);
        for (var i = 1; i <= 2; i++)
        {
            _servers.Add(await SimulatedVllmServer.StartAsync(
                new SimulatedVllmOptions
                {
                    Host = $"{Network(OfSilos)}{i}", Port = 8000,
                    Models = [new("meta-llama/Llama-3.1-8B-Instruct"), new("food-review-1", "meta-llama/Llama-3.1-8B-Instruct")],
                },
                CancellationToken.None));
        }

        if (!_namesPeers) NamePeer(true);
        foreach (var process in Gateways.Concat(Silos).Append(Embedded)) process.Start();
        await LinkedAsync();
        await DividedAsync();
        // Before anything has been forwarded: all that is there are streams of reports.
        // A machine that is far behind tries another connection beside one that does not answer: a second without one is awaited.
        for (var tries = 0; tries < 30 && (ConnectionsToThePeer, ConnectionsFromThePeer) != (1, 1); tries++)
        {
            (ConnectionsToThePeer, ConnectionsFromThePeer) = (0, 0);
            for (var i = 0; i < 20; i++)
            {
                ConnectionsToThePeer = Math.Max(ConnectionsToThePeer, ConnectionsTo(Embedded.Peers.Port));
                ConnectionsFromThePeer = Math.Max(ConnectionsFromThePeer, Gateways.Sum(g => ConnectionsTo(g.Peers.Port)));
                await Task.Delay(50);
            }
        }
    }

    public async Task DisposeAsync()
    {
        foreach (var process in Gateways.Concat(Silos).Append(Embedded)) process.Dispose();
        _redis?.Dispose();
        foreach (var server in _servers) await server.KillAsync();
        _manifests.Dispose();
        _state.Delete(recursive: true);
    }

    /// <summary>Waits until both regions serve and hear each other, and both gateways of the silos' region know it.</summary>
    internal async Task LinkedAsync()
    {
        foreach (var process in Gateways.Append(Embedded)) await Poll.UntilAsync(() => process.IsLinkedAsync(1), Deadline, () => $"{process.Name} is not linked.\n{Logs()}");
        foreach (var silo in Silos) await Poll.UntilAsync(async () => (await GrainsOfAsync(silo)).ValueKind == JsonValueKind.Object, Deadline, () => $"{silo.Name} is not up.\n{Logs()}");
    }

    /// <summary>Waits until every shard has an endpoint and both gateways know it.</summary>
    internal async Task DividedAsync()
    {
        foreach (var gateway in Gateways)
        {
            await Poll.UntilAsync(
                async () => Shards == 1 || (await gateway.MetricAsync("mesh_pool_shards") == Shards && await gateway.MetricAsync("mesh_pool_shard_endpoints") == Shards),
                Deadline, () => $"{gateway.Name} does not know of {Shards} shards.\n{Logs()}");
        }
    }

    /// <summary>Has the silos' manifests name the other region's gateway, or not.</summary>
    internal void NamePeer(bool isThere) => _manifests.Write(0, "gke-europe", "fleet.yaml", $"""
        apiVersion: multicluster.x-k8s.io/v1alpha1
        kind: ClusterProfile
        metadata:
          name: gke-us
          namespace: fleet-system
          labels:
            gke.io/region: {RegionalManifests.Regions[OfEngine]}
            gke.io/zone: {RegionalManifests.Regions[OfEngine]}-a
          annotations:
            {(isThere ? $"mesh.internal/gateway-url: http://{Embedded.Peers}" : "example.com/gateway: none")}
        spec:
          clusterManager:
            name: mesh

        """);

    /// <summary>The silo whose region's grain stands for the region.</summary>
    internal async Task<RegionProcess> SpokesmanAsync()
    {
        RegionProcess? found = null;
        await Poll.UntilAsync(
            async () =>
            {
                foreach (var silo in Silos)
                {
                    if (await GrainsOfAsync(silo) is not { ValueKind: JsonValueKind.Object } regions || !regions.TryGetProperty(RegionalManifests.Regions[OfSilos], out var region)) continue;
                    var at = region.GetProperty("silo").GetString()!;
                    for (var i = 0; i < 2; i++)
                    {
                        if (at.Contains(string.Create(CultureInfo.InvariantCulture, $":{_siloPorts[i].Silo}@"), StringComparison.Ordinal)) found = Silos[i];
                    }
                }

                return found is not null;
            },
            Deadline, Logs);
        return found!;
    }

    /// <summary>Leases that the pool of the silos' region counts; -1 while nobody tells.</summary>
    internal async Task<int> LeasesAsync()
    {
        foreach (var silo in Silos)
        {
            if (await GrainsOfAsync(silo) is not { ValueKind: JsonValueKind.Object } regions || !regions.TryGetProperty(RegionalManifests.Regions[OfSilos], out var region)) continue;
            var pools = region.GetProperty("pools").EnumerateArray().ToArray();
            if (pools.Length == Shards) return pools.Sum(p => p.GetProperty("leases").GetInt32());
        }

        return -1;
    }

    /// <summary>What the processes said last.</summary>
    internal string Logs() => string.Join("\n\n", Silos.Concat(Gateways).Append(Embedded).Select(p => $"== {p.Name}\n{p.Log[Math.Max(0, p.Log.Length - 3000)..]}"));

    private static async Task<JsonElement> GrainsOfAsync(RegionProcess silo)
    {
        try
        {
            return JsonDocument.Parse(await Client.GetStringAsync(new Uri($"http://{silo.Admin}/mesh/v1/grains"))).RootElement.Clone();
        }
        catch (Exception e) when (e is HttpRequestException or TaskCanceledException)
        {
            return default;
        }
    }

    // Connections that a listener has, as the kernel counts them.
    private static int ConnectionsTo(int port)
    {
        var local = string.Create(CultureInfo.InvariantCulture, $":{port:X4}");
        const string Established = "01";
        return File.ReadLines("/proc/net/tcp").Skip(1).Select(l => l.Split(' ', StringSplitOptions.RemoveEmptyEntries))
            .Count(c => c[1].EndsWith(local, StringComparison.Ordinal) && c[3] == Established);
    }

    private RegionProcess Process(string name, (int Listener, int Admin, int Peers) ports, params string[] arguments) => new(
        name, IPAddress.Loopback, ports, () => new ProcessStartInfo("dotnet"),
        [
            Path.Combine(AppContext.BaseDirectory, "Mesh.Silo.dll"), .. Common(OfSilos), $"--Silo:Redis=127.0.0.1:{_redisPort}",
            .. _namesPeers ? [$"--peer={RegionalManifests.Regions[OfEngine]}=http://{Embedded.Peers}"] : Array.Empty<string>(), .. arguments,
        ]);

    // Endpoints belong to shards by their addresses: others are taken until each shard has one.
    private static RegionalManifests ManifestsFor(int silos, int shards)
    {
        var map = new ShardMap(1, shards, shards);
        while (true)
        {
            var manifests = new RegionalManifests();
            if (Enumerable.Range(1, 2).Select(i => map.OwnerOf(new EndpointId($"{manifests.Networks[silos]}{i}:8000"))).Distinct().Count() == shards) return manifests;
            manifests.Dispose();
        }
    }

    private IEnumerable<string> Common(int region) =>
        [$"--manifests={Path.Combine(_manifests.Path, RegionalManifests.Regions[region])}", $"--region={RegionalManifests.Regions[region]}", $"--Mesh:Federation:StateDirectory={_state.FullName}"];
}

/// <summary>The config cluster is the other region's.</summary>
public sealed class SilosWithoutConfiguration() : TwoRegions(silosHaveConfiguration: false);

/// <summary>The silos' pool is divided into two shards, and the silos' manifests name the peer.</summary>
public sealed class SilosWithShards() : TwoRegions(silosHaveConfiguration: true, shards: 2, namesPeers: false);

/// <summary>The config cluster is the silos'.</summary>
public sealed class SilosWithConfiguration() : TwoRegions(silosHaveConfiguration: true);
