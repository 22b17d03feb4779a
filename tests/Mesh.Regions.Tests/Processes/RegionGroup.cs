using System.Diagnostics;
using System.Globalization;
using System.Net;
using Mesh.Gateway.Federation.Demo;
using Mesh.Regions.Tests.Support;
using Mesh.Testing.Net;

namespace Mesh.Regions.Tests.Processes;

/// <summary>Regions as processes on the loopback interface: two model servers each, eight requests at a time for every one.</summary>
public class RegionGroup : IAsyncDisposable
{
    private static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(120);

    private static readonly TimeSpan NearOneWay = TimeSpan.FromMilliseconds(5);
    private static readonly TimeSpan FarOneWay = TimeSpan.FromMilliseconds(15);

    private readonly bool _isSpread;
    private readonly List<DelayRelay> _relays = [];
    private readonly string _state = Directory.CreateTempSubdirectory("mesh-state-").FullName;

    /// <param name="count">How many, the first ones of the demo's.</param>
    /// <param name="namesPeers">True when the command line names the peers; false leaves it to the manifests.</param>
    /// <param name="isSpread">True to put some way between them, so that the second is nearer to the first than the third.</param>
    internal RegionGroup(int count, bool namesPeers = true, bool isSpread = false)
    {
        _isSpread = isSpread;
        Ports = [.. Enumerable.Range(0, count).Select(_ => (FreePorts.Next(), FreePorts.Next(), FreePorts.Next()))];
        All = [.. Enumerable.Range(0, count).Select(i => new RegionProcess(RegionManifests.Regions[i], IPAddress.Loopback, Ports[i], () => new ProcessStartInfo("dotnet"), Arguments(i, namesPeers)))];
    }

    /// <summary>The regions; the first has the config cluster.</summary>
    internal RegionProcess[] All { get; }

    /// <summary>Manifests, for edits.</summary>
    internal RegionManifests Manifests { get; } = new();

    private (int Listener, int Admin, int Peers)[] Ports { get; }

    /// <summary>Starts them and waits until each hears so many others.</summary>
    internal async Task StartAsync(int peers)
    {
        foreach (var region in All) region.Start();
        await AreLinkedAsync(peers, All);
    }

    /// <summary>Waits until each of these hears so many others.</summary>
    internal async Task AreLinkedAsync(int peers, params RegionProcess[] regions)
    {
        foreach (var region in regions) await Poll.UntilAsync(() => region.IsLinkedAsync(peers), StartLimit, () => $"{region.Name} is not linked.\n{Logs}");
    }

    /// <summary>What all of them have written.</summary>
    internal string Logs => string.Join("\n\n", All.Select(r => $"{r.Name}:\n{r.Log}"));

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        foreach (var region in All) region.Dispose();
        foreach (var relay in _relays) await relay.DisposeAsync();
        Manifests.Dispose();
        Directory.Delete(_state, recursive: true);
        GC.SuppressFinalize(this);
    }

    private IEnumerable<string> Arguments(int index, bool namesPeers)
    {
        var (listener, admin, peers) = Ports[index];
        yield return RegionProcess.Program;
        yield return $"--manifests={Path.Combine(Manifests.Path, RegionManifests.Regions[index])}";
        yield return $"--region={RegionManifests.Regions[index]}";
        yield return "--simulate=true";
        // Answers that take long beside the interval of reports, and many of which this machine bears at once.
        yield return "--Mesh:SimulationSpeed=0.5";
        // What is decided when is read from what is kept of every decision.
        yield return "--Mesh:DecisionLog:SampleRate=1";
        yield return string.Create(CultureInfo.InvariantCulture, $"--Mesh:Listeners:80=127.0.0.1:{listener}");
        yield return string.Create(CultureInfo.InvariantCulture, $"--admin=127.0.0.1:{admin}");
        yield return string.Create(CultureInfo.InvariantCulture, $"--peers-at=127.0.0.1:{peers}");
        yield return $"--Mesh:Federation:StateDirectory={_state}";
        // However a run of the tests ends: its regions end with it.
        yield return "--Mesh:EndWithInput=true";
        for (var i = 0; namesPeers && i < Ports.Length; i++)
        {
            if (i != index) yield return $"--peer={RegionManifests.Regions[i]}=http://{Way(index, i)}";
        }
    }

    private IPEndPoint Way(int from, int to)
    {
        var address = new IPEndPoint(IPAddress.Loopback, Ports[to].Peers);
        if (!_isSpread) return address;
        var relay = new DelayRelay(new IPEndPoint(IPAddress.Loopback, 0), address, from + to == 1 ? NearOneWay : FarOneWay, TimeProvider.System);
        _relays.Add(relay);
        return relay.Address;
    }
}
