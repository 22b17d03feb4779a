using System.Diagnostics;
using System.Net;
using Mesh.Regions.Tests.Support;

namespace Mesh.Regions.Tests.Networks;

/// <summary>
/// Three regions in network namespaces of their own, 80 and 100 ms of round trip apart, and clients without a delay. Every packet passes through a
/// relay in this process, which loses and delays them as a test says.
/// </summary>
public sealed class DistantRegions : IAsyncLifetime
{
    // The second region is the nearer one of the first's peers.
    private static readonly TimeSpan NearOneWay = TimeSpan.FromMilliseconds(40);
    private static readonly TimeSpan FarOneWay = TimeSpan.FromMilliseconds(50);

    private const string Client = "client";
    private const string Secret = "a-secret-for-these-tests";

    private readonly RegionManifests? _manifests;
    private readonly string _state = Directory.CreateTempSubdirectory("mesh-state-").FullName;
    private readonly List<TunDevice> _devices = [];
    private readonly List<string> _namespaces = [];
    private readonly string _network;

    public DistantRegions()
    {
        _network = $"10.{100 + (Environment.ProcessId % 100)}.{Environment.ProcessId / 100 % 250}.";
        if (NamespaceFactAttribute.WhyNot is not null) return;
        Relay = new PacketRelay();
        _manifests = new RegionManifests("127.20.0.");
    }

    /// <summary>The network.</summary>
    internal PacketRelay Relay { get; } = null!;

    /// <summary>The regions; the first has the config cluster.</summary>
    internal RegionProcess[] All { get; private set; } = [];

    public async Task InitializeAsync()
    {
        if (_manifests is null) return;
        var client = new TunDevice($"mc{Environment.ProcessId % 100_000}");
        _devices.Add(client);
        TunDevice.Ip($"addr add {_network}1/24 dev {client.Name}");
        TunDevice.Ip($"link set {client.Name} up");
        Relay.Join(Client, IPAddress.Parse($"{_network}1"), client);
        var regions = new List<RegionProcess>();
        for (var i = 0; i < RegionManifests.Regions.Length; i++)
        {
            var name = RegionManifests.Regions[i];
            var space = $"mesh-{Environment.ProcessId}-{i}";
            var address = IPAddress.Parse($"{_network}{11 + i}");
            TunDevice.Ip($"netns add {space}");
            _namespaces.Add(space);
            var device = new TunDevice($"m{i}{Environment.ProcessId % 100_000}");
            _devices.Add(device);
            TunDevice.Ip($"link set {device.Name} netns {space}");
            TunDevice.Ip($"-n {space} link set lo up");
            TunDevice.Ip($"-n {space} addr add {address}/24 dev {device.Name}");
            TunDevice.Ip($"-n {space} link set {device.Name} up");
            Relay.Join(name, address, device);
            for (var j = 0; j < i; j++) Relay.Place(RegionManifests.Regions[j], name, i == 1 ? NearOneWay : FarOneWay);
            regions.Add(new RegionProcess(name, address, (8080, 9090, 9100), () => Inside(space), Arguments(name, i)));
        }

        All = [.. regions];
        foreach (var region in All) region.Start();
        await AreLinkedAsync(TimeSpan.FromSeconds(120));
    }

    /// <summary>Waits until every region hears every other; the time that it took.</summary>
    internal async Task<TimeSpan> AreLinkedAsync(TimeSpan limit)
    {
        var began = TimeProvider.System.GetTimestamp();
        foreach (var region in All) await Poll.UntilAsync(() => region.IsLinkedAsync(All.Length - 1), limit, () => $"{region.Name} is not linked.\n{string.Join("\n\n", All.Select(r => $"{r.Name}:\n{r.Log}"))}");
        return TimeProvider.System.GetElapsedTime(began);
    }

    public Task DisposeAsync()
    {
        foreach (var region in All) region.Dispose();
        Relay?.Dispose();
        foreach (var space in _namespaces) TunDevice.Ip($"netns del {space}");
        foreach (var device in _devices) device.Dispose();
        _manifests?.Dispose();
        Directory.Delete(_state, recursive: true);
        return Task.CompletedTask;
    }

    private static ProcessStartInfo Inside(string space)
    {
        var start = new ProcessStartInfo("ip");
        foreach (var argument in new[] { "netns", "exec", space, "dotnet" }) start.ArgumentList.Add(argument);
        return start;
    }

    private IEnumerable<string> Arguments(string name, int index)
    {
        yield return RegionProcess.Program;
        yield return $"--manifests={Path.Combine(_manifests!.Path, name)}";
        yield return $"--region={name}";
        yield return "--simulate=true";
        yield return "--Mesh:Keys:Mode=Off";
        yield return $"--Mesh:Listeners:80={_network}{11 + index}:8080";
        yield return $"--admin={_network}{11 + index}:9090";
        yield return $"--peers-at={_network}{11 + index}:9100";
        yield return $"--Mesh:Federation:Token={Secret}";
        yield return $"--Mesh:Federation:StateDirectory={_state}";
        for (var i = 0; i < RegionManifests.Regions.Length; i++)
        {
            if (i != index) yield return $"--peer={RegionManifests.Regions[i]}=http://{_network}{11 + i}:9100";
        }
    }
}
