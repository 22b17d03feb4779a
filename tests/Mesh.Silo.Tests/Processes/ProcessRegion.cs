using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using Mesh.Simulation.Server;
using Mesh.Testing.Net;

namespace Mesh.Silo.Tests;

/// <summary>
/// A region of real processes: two silos, two gateways, one Redis, and sixteen simulated model servers in this process. Every port is its own.
/// </summary>
public sealed class ProcessRegion : IAsyncLifetime
{
    public const int Endpoints = 16;
    private const int Silos = 2;
    private const int Gateways = 2;
    private const int MostGateways = 4;
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(90);
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("mesh-silo-tests");
    private readonly List<SimulatedVllmServer> _servers = [];
    private readonly OwnProcess?[] _silos = new OwnProcess?[Silos];
    private readonly OwnProcess?[] _gateways = new OwnProcess?[MostGateways];
    private readonly int[] _siloPorts = [.. Enumerable.Range(0, Silos).Select(_ => FreePorts.Next())];
    private readonly int[] _siloGatewayPorts = [.. Enumerable.Range(0, Silos).Select(_ => FreePorts.Next())];
    private readonly int[] _adminPorts = [.. Enumerable.Range(0, Silos).Select(_ => FreePorts.Next())];
    private readonly int[] _gatewayPorts = [.. Enumerable.Range(0, MostGateways).Select(_ => FreePorts.Next())];
    private readonly int _redisPort = FreePorts.Next();
    private readonly HttpClient _http = new() { Timeout = TimeSpan.FromSeconds(5) };
    private OwnProcess? _redis;

    /// <summary>Null when there is a Redis server here; else why the tests cannot run.</summary>
    public static string? WhyNot => File.Exists("/usr/bin/redis-server") || File.Exists("/usr/local/bin/redis-server")
        ? null : "redis-server is not installed";

    /// <summary>Directory of its manifests.</summary>
    public string Manifests => _directory.FullName;

    internal IReadOnlyList<SimulatedVllmServer> Servers => _servers;

    public async Task InitializeAsync()
    {
        // Clients and endpoints live in this process: with two threads, whatever blocks one for a while would look like a pause of the region's.
        ThreadPool.SetMinThreads(16, 16);
        if (WhyNot is not null) return;
        var port = FreePorts.Next();
        var net = 1 + Environment.ProcessId % 200;
        for (var i = 1; i <= Endpoints; i++)
        {
            _servers.Add(await SimulatedVllmServer.StartAsync(
                new SimulatedVllmOptions { Host = $"127.66.{net}.{i}", Port = port, Speed = 20 }, CancellationToken.None));
        }
        RegionManifests.Write(_directory.FullName, port, $"127.66.{net}.");
        StartRedis();
        for (var i = 0; i < Silos; i++) StartSilo(i);
        for (var i = 0; i < Gateways; i++) StartGateway(i);
        await ReadyAsync();
    }

    /// <summary>Where its silos find each other.</summary>
    public string Redis => $"127.0.0.1:{_redisPort}";

    public Uri GatewayUri(int index) => new($"http://127.0.0.1:{_gatewayPorts[index]}");

    public void StartRedis() => _redis = OwnProcess.Start(
        "redis", "redis-server", ["--port", $"{_redisPort}", "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", _directory.FullName]);

    public async Task StopRedisAsync()
    {
        // As the membership of a region is kept: what Redis held is there again when it comes back.
        using (var client = new TcpClient())
        {
            await client.ConnectAsync(IPAddress.Loopback, _redisPort);
            await client.GetStream().WriteAsync("SAVE\r\n"u8.ToArray());
            var answer = new byte[64];
            Assert.True(await client.GetStream().ReadAsync(answer) > 0);
        }
        _redis!.Kill();
        _redis.Dispose();
    }

    public void StartSilo(int index) => _silos[index] = OwnProcess.Start($"silo-{index}", "dotnet",
    [
        Path.Combine(AppContext.BaseDirectory, "Mesh.Silo.dll"), "--manifests", _directory.FullName, "--Silo:Role=Silo",
        $"--Silo:Redis=127.0.0.1:{_redisPort}", $"--Silo:Port={_siloPorts[index]}", $"--Silo:GatewayPort={_siloGatewayPorts[index]}",
        $"--Silo:Admin=127.0.0.1:{_adminPorts[index]}",
    ]);

    public void StartGateway(int index) => _gateways[index] = OwnProcess.Start($"gateway-{index}", "dotnet",
    [
        Path.Combine(AppContext.BaseDirectory, "Mesh.Silo.dll"), "--manifests", _directory.FullName, "--Silo:Role=Gateway",
        $"--Silo:Redis=127.0.0.1:{_redisPort}", $"--Mesh:Listeners:80=127.0.0.1:{_gatewayPorts[index]}",
    ]);

    public void KillSilo(int index) => _silos[index]!.Kill();

    public void KillGateway(int index) => _gateways[index]!.Kill();

    public Task StopSiloAsync(int index) => _silos[index]!.StopAsync();

    public Task StopGatewayAsync(int index) => _gateways[index]!.StopAsync();

    /// <summary>Silo that the pool runs on.</summary>
    public async Task<int> SiloOfPoolAsync()
    {
        var silo = "";
        await EventuallyAsync(
            async () =>
            {
                foreach (var region in (await GrainsAsync()).EnumerateObject())
                {
                    foreach (var pool in region.Value.GetProperty("pools").EnumerateArray()) silo = pool.GetProperty("silo").GetString()!;
                }
                return silo.Length > 0;
            },
            "the pool runs");
        return silo.Contains($":{_siloPorts[0]}@", StringComparison.Ordinal) ? 0 : 1;
    }

    /// <summary>Leases that the pool counts.</summary>
    public async Task<int> LeasesAsync()
    {
        var leases = -1;
        foreach (var region in (await GrainsAsync()).EnumerateObject())
        {
            foreach (var pool in region.Value.GetProperty("pools").EnumerateArray()) leases = Math.Max(leases, pool.GetProperty("leases").GetInt32());
        }
        return leases;
    }

    /// <summary>Waits until every silo is ready and looks after its part of the endpoints, and every gateway is ready.</summary>
    public async Task ReadyAsync()
    {
        // Each by its own word: what the region knows of its clusters may be from before a silo stopped.
        foreach (var port in _adminPorts)
        {
            var uri = new Uri($"http://127.0.0.1:{port}/readyz");
            await EventuallyAsync(async () => (await _http.GetAsync(uri)).StatusCode == HttpStatusCode.OK, $"the silo of {uri} is ready");
        }
        for (var i = 0; i < MostGateways; i++)
        {
            if (_gateways[i] is not { HasExited: false }) continue;
            var uri = new Uri(GatewayUri(i), "/readyz");
            await EventuallyAsync(async () => (await _http.GetAsync(uri)).StatusCode == HttpStatusCode.OK, $"gateway {i} is ready");
        }
        await EventuallyAsync(
            async () =>
            {
                var clusters = (await GrainsAsync()).EnumerateObject().SelectMany(r => r.Value.GetProperty("clusters").EnumerateArray()).ToArray();
                return clusters.Length > 0 && clusters.All(c => c.GetProperty("endpoints").GetInt32() == Endpoints && c.GetProperty("silos").GetInt32() == Silos);
            },
            "all endpoints are looked after, on both silos");
    }

    public async Task EventuallyAsync(Func<Task<bool>> condition, string what)
    {
        var began = TimeProvider.System.GetTimestamp();
        while (true)
        {
            try
            {
                if (await condition()) return;
            }
            catch (Exception e) when (e is HttpRequestException or OperationCanceledException or JsonException)
            {
                // A process that has just been killed or started.
            }

            if (TimeProvider.System.GetElapsedTime(began) > Deadline) Assert.Fail($"not within {Deadline.TotalSeconds} s: {what}\n{Logs()}");
            await Task.Delay(50);
        }
    }

    /// <summary>What the processes said last.</summary>
    public string Logs()
    {
        OwnProcess?[] all = [_redis, .. _silos, .. _gateways];
        return string.Join('\n', all.OfType<OwnProcess>().Select(p => $"== {p.Name}\n{p.Output[Math.Max(0, p.Output.Length - 3000)..]}"));
    }

    public async Task DisposeAsync()
    {
        foreach (var process in _gateways.Concat(_silos).Append(_redis).OfType<OwnProcess>()) process.Dispose();
        foreach (var server in _servers) await server.KillAsync();
        _http.Dispose();
        _directory.Delete(recursive: true);
    }

    private async Task<JsonElement> GrainsAsync()
    {
        foreach (var port in _adminPorts)
        {
            try
            {
                var text = await _http.GetStringAsync(new Uri($"http://127.0.0.1:{port}/mesh/v1/grains"));
                return JsonDocument.Parse(text).RootElement.Clone();
            }
            catch (HttpRequestException) when (port != _adminPorts[^1])
            {
                // That silo is down; the other knows as much.
            }
        }
        throw new InvalidOperationException("unreachable");
    }
}
