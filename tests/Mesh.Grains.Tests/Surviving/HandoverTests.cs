using System.Collections.Immutable;
using Mesh.Core.Config;
using Mesh.Core.Leases;
using Mesh.Core.Routing;
using Mesh.Engine;
using Mesh.Grains.Contracts;
using Mesh.Grains.Snapshots;

namespace Mesh.Grains.Tests;

/// <summary>What a pool that moves because its silo stops knows on the next one before any gateway has said a word.</summary>
public sealed class HandoverTests : IAsyncLifetime
{
    private static readonly GatewaySession Session = new("gateway", 1);
    private SimulatedEndpoints _endpoints = null!;
    private MeshCluster _cluster = null!;
    private IPoolGrain _pool = null!;

    public async Task InitializeAsync()
    {
        _endpoints = await SimulatedEndpoints.StartAsync(2);
        // So that nobody is forgotten for silence while a busy machine stops a silo.
        _cluster = await MeshCluster.StartAsync(
            _endpoints.Config(inFlight: 2), silos: 2, engine: new EngineOptions { Pool = new PoolStateOptions { SessionTimeout = TimeSpan.FromSeconds(60) } });
        _pool = _cluster.Pool(SimulatedEndpoints.PoolId);
        await Eventually.HoldsAsync(async () => await HealthyAsync() == 2, "healthy");
    }

    public async Task DisposeAsync()
    {
        await _cluster.DisposeAsync();
        await _endpoints.DisposeAsync();
    }

    [Fact]
    public async Task StopSilo_GoesOnUnderTheSameEpoch_AnswersTheSame_AndPlacesAtOnce()
    {
        var before = (await _pool.Keep()).Epoch;
        var key = (await _pool.Announce(new Announcement { Session = Session, Epoch = before, Sequence = 1 })).Key;
        var held = await _pool.Route(Call(before, key, 1));
        var unheard = await _pool.Route(Call(before, key, 2));
        Assert.Equal((ReplyKind.Send, ReplyKind.Send), (held.Kind, unheard.Kind));
        await _pool.Feedback(new FeedbackBatch { Epoch = before, Session = key, Sequence = 2, Items = [new FeedbackItem { Kind = FeedbackKind.Cancel, Lease = new LeaseId(0, 3) }] });

        await StopItsSiloAsync();

        var after = await _pool.Keep();
        Assert.Equal((before, 2, 1), (after.Epoch, after.Leases, after.Sessions));
        Assert.Equal(2, await HealthyAsync());

        // The gateway never had the second answer, and asks again; what it has given up stays so.
        Assert.Equal(unheard, await _pool.Route(Call(before, key, 2)));
        Assert.Equal(ReplyKind.StillWaiting, (await _pool.Route(Call(before, key, 3))).Kind);
        var next = await _pool.Route(Call(before, key, 4));
        Assert.Equal((ReplyKind.Send, 3), (next.Kind, (await _pool.Keep()).Leases));
        Assert.True(next.LeaseEpoch > held.LeaseEpoch, "leases of two activations must never have the same name");
        await _pool.Feedback(new FeedbackBatch
        {
            Epoch = before, Session = key, Sequence = 3, Items = [Completed(held), Completed(unheard), Completed(next)],
        });
        Assert.Equal(0, (await _pool.Keep()).Leases);
    }

    [Fact]
    public async Task StopSilo_RequestsThatWait_KeepTheirOrder()
    {
        var before = (await _pool.Keep()).Epoch;
        var key = (await _pool.Announce(new Announcement { Session = Session, Epoch = before, Sequence = 1 })).Key;
        var placed = new List<RouteReply>();
        var waiting = new List<long>();
        // Until three have found no room.
        for (var number = 1L; waiting.Count < 3; number++)
        {
            Assert.InRange(number, 1, 100_000);
            var reply = await _pool.Route(Call(before, key, number));
            if (reply.Kind == ReplyKind.Send) placed.Add(reply);
            else waiting.Add(number);
        }

        await StopItsSiloAsync();

        Assert.Equal((placed.Count, 3), ((await _pool.Keep()).Leases, (await _pool.Keep()).WaitingCalls));
        for (var i = 0; i < waiting.Count; i++)
        {
            await _pool.Feedback(new FeedbackBatch { Epoch = before, Session = key, Sequence = 2 + i, Items = [Completed(placed[i])] });
            Assert.Equal(waiting.Count - 1 - i, (await _pool.Keep()).WaitingCalls);
            Assert.Equal(ReplyKind.Send, (await _pool.Route(Call(before, key, waiting[i]))).Kind);
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task OtherSiloGoes_PoolsWhoseDirectoryEntryWasThere_GoOnUnderTheirEpochs(bool isKilled)
    {
        // Enough for some to have their entry there.
        var config = _endpoints.Config(version: 2);
        var first = config.Pools[0];
        var pools = Enumerable.Range(0, 12).Select(i => first with { Id = new PoolId("default", $"pool-{i}") }).ToImmutableArray();
        _cluster.Configuration.Set(config with { Pools = pools });
        var silos = _cluster.Cluster.Silos;
        var before = new Dictionary<PoolId, PoolStatus>();
        foreach (var pool in pools)
        {
            var status = await _cluster.Pool(pool.Id).Keep();
            await _cluster.Pool(pool.Id).Announce(new Announcement { Session = Session, Epoch = status.Epoch, Sequence = 1 });
            before[pool.Id] = status;
        }
        var stays = silos[0].SiloAddress.ToParsableString();
        var staying = pools.Select(p => p.Id).Where(id => before[id].Silo == stays).ToArray();
        Assert.NotEmpty(staying);

        if (isKilled) await _cluster.Cluster.KillSiloAsync(silos[1]);
        else await _cluster.Cluster.StopSiloAsync(silos[1]);

        foreach (var id in staying)
        {
            var status = new PoolStatus();
            await Eventually.HoldsAsync(
                async () =>
                {
                    try
                    {
                        status = await _cluster.Pool(id).Keep();
                        return true;
                    }
                    catch (OrleansException)
                    {
                        return false;
                    }
                },
                "the pool answers");
            Assert.Equal((before[id].Epoch, stays, 1), (status.Epoch, status.Silo, status.Sessions));
        }
    }

    private async Task StopItsSiloAsync() => await _cluster.Cluster.StopSiloAsync(await _cluster.SiloOfAsync(SimulatedEndpoints.PoolId));

    private static FeedbackItem Completed(RouteReply reply) => new() { Kind = FeedbackKind.Complete, Lease = new LeaseId(reply.LeaseEpoch, reply.LeaseSequence) };

    private static RouteCall Call(long epoch, int key, long number) => new()
    {
        Epoch = epoch, Session = key, Number = number, Settled = 1, RequestId = $"r{number}", PromptTokens = 10, MaxOutputTokens = 10,
    };

    private async Task<int> HealthyAsync() => SnapshotJson.ReadPool(await _pool.Snapshot()).Backends[0].HealthyEndpoints;
}
