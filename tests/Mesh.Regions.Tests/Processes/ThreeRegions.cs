using System.Diagnostics;
using System.Net;
using Mesh.Regions.Tests.Support;

namespace Mesh.Regions.Tests.Processes;

/// <summary>Three regions as three processes on the loopback interface: two model servers each, eight requests at a time for every one.</summary>
public sealed class ThreeRegions : IAsyncLifetime
{
    /// <summary>Requests that one region takes.</summary>
    internal const int Capacity = 16;

    private readonly RegionManifests _manifests = new();
    private readonly string _state = Directory.CreateTempSubdirectory("mesh-state-").FullName;

    public ThreeRegions()
    {
        var first = 20_000 + (Environment.ProcessId % 2000 * 10);
        var ports = RegionManifests.Regions.Select((_, i) => (Listener: first + i, Admin: first + 3 + i, Peers: first + 6 + i)).ToArray();
        All = [.. RegionManifests.Regions.Select((name, i) => new RegionProcess(name, IPAddress.Loopback, ports[i], () => new ProcessStartInfo("dotnet"), Arguments(name, i, ports)))];
    }

    /// <summary>The regions; the first has the config cluster.</summary>
    internal RegionProcess[] All { get; }

    /// <summary>Manifests, for edits.</summary>
    internal RegionManifests Manifests => _manifests;

    public async Task InitializeAsync()
    {
        foreach (var region in All) region.Start();
        foreach (var region in All) await Poll.UntilAsync(() => region.IsLinkedAsync(2), TimeSpan.FromSeconds(120), () => $"{region.Name} is not linked.\n{string.Join("\n\n", All.Select(r => $"{r.Name}:\n{r.Log}"))}");
    }

    public Task DisposeAsync()
    {
        foreach (var region in All) region.Dispose();
        _manifests.Dispose();
        Directory.Delete(_state, recursive: true);
        return Task.CompletedTask;
    }

    private IEnumerable<string> Arguments(string name, int index, (int Listener, int Admin, int Peers)[] ports)
    {
        yield return RegionProcess.Program;
        yield return $"--manifests={Path.Combine(_manifests.Path, name)}";
        yield return $"--region={name}";
        yield return "--simulate=true";
        yield return $"--Mesh:Listeners:80=127.0.0.1:{ports[index].Listener}";
        yield return $"--admin=127.0.0.1:{ports[index].Admin}";
        yield return $"--peers-at=127.0.0.1:{ports[index].Peers}";
        yield return $"--Mesh:Federation:StateDirectory={_state}";
        for (var i = 0; i < ports.Length; i++)
        {
            if (i != index) yield return $"--peer={RegionManifests.Regions[i]}=http://127.0.0.1:{ports[i].Peers}";
        }
    }
}
