using Mesh.Core.Endpoints;
using Mesh.Core.Snapshots;
using Mesh.Grains.Snapshots;
using Mesh.Testing;

namespace Mesh.Grains.Tests;

public sealed class SnapshotJsonTests
{
    [Fact]
    public void Write_ThenRead_KeepsWhatIsKnownAndWhatIsNot()
    {
        var time = new ManualTimeProvider();
        time.Advance(TimeSpan.FromMinutes(1));
        var sample = new EndpointSample { Endpoint = new EndpointId("10.0.0.1:8000"), Timestamp = time.GetTimestamp() - TimeSpan.TicksPerSecond, RunningRequests = 3 };
        var snapshot = new PoolSnapshot
        {
            Id = SimulatedEndpoints.PoolId,
            Leases = 2,
            Queue = [new QueueBandSnapshot(1, 2, 1) { OldestWait = TimeSpan.FromMilliseconds(5) }],
            Backends =
            [
                new BackendSnapshot
                {
                    Id = new("gke-west", "a", 8000),
                    Region = "west",
                    Utilizations = [null, 0.5],
                    Endpoints =
                    [
                        new EndpointSnapshot { Id = sample.Endpoint, PodName = "one", Health = EndpointHealth.Healthy, Models = ["m"], LastSample = sample, EjectedUntil = time.GetTimestamp() + 7 },
                        new EndpointSnapshot { Id = new("10.0.0.2:8000"), PodName = "two" },
                    ],
                },
            ],
        };

        // The reader's clock has run for another time than the writer's.
        var other = new ManualTimeProvider();
        other.Advance(TimeSpan.FromHours(3));
        var read = SnapshotClock.FromWire(SnapshotJson.ReadPool(SnapshotJson.Write(SnapshotClock.ToWire(snapshot, time))), other);

        var endpoints = read.Backends[0].Endpoints;
        Assert.Equal(2, read.Leases);
        Assert.Equal(snapshot.Queue[0], Assert.Single(read.Queue));
        Assert.Equal(snapshot.Backends[0].Settings.Mode, read.Backends[0].Settings.Mode);
        Assert.Equal([null, 0.5], read.Backends[0].Utilizations.ToArray());
        Assert.Equal(EndpointHealth.Healthy, endpoints[0].Health);
        Assert.Equal(3, endpoints[0].LastSample!.RunningRequests);
        Assert.Equal(TimeSpan.FromSeconds(1), other.GetElapsedTime(endpoints[0].LastSample!.Timestamp));
        Assert.Equal(other.GetTimestamp() + 7, endpoints[0].EjectedUntil);
        Assert.True(endpoints[1].Models.IsDefault);
        Assert.Null(endpoints[1].LastSample);
    }
}
