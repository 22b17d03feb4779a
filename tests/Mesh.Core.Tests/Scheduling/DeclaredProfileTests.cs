using Mesh.Core.Config;
using Mesh.Core.Routing;
using Mesh.Core.Scheduling;
using Mesh.Core.Scheduling.Rules;

namespace Mesh.Core.Tests.Scheduling;

public sealed class DeclaredProfileTests
{
    public static TheoryData<string> Profiles => [.. ProfileNames.All];

    [Theory]
    [MemberData(nameof(Profiles))]
    public void Declare_BuiltIn_DecidesTheSameFromTheSameSeed(string profile)
    {
        for (var seed = 1UL; seed <= 5; seed++)
        {
            var builtIn = ProfileRun.Play(new SchedulingConfig { Profile = profile }, seed);
            var declared = ProfileRun.Play(new SchedulingConfig { Profile = "default/own", Declared = BuiltInProfiles.Declare(profile) }, seed);

            Assert.True(builtIn.SequenceEqual(declared), $"{profile}, seed {seed}");
            Assert.Contains(builtIn, d => d.Kind == RouteKind.Send);
        }
    }

    [Fact]
    public void Declared_SameTwice_IsEqualSoThatAReloadChangesNothing()
    {
        static ProfileDeclaration One() => new()
        {
            Filters = [new RuleDeclaration("low-queue") { Numbers = new RuleDeclaration("x").Numbers.Add("maxWaiting", 3) }],
            Scorers = [new ScorerDeclaration(new RuleDeclaration("prefix"), 2)],
            Picker = new RuleDeclaration("max-score"),
        };

        Assert.Equal(new SchedulingConfig { Declared = One() }, new SchedulingConfig { Declared = One() });
        Assert.NotEqual(One(), One() with { Scorers = [] });
    }

    [Fact]
    public void Route_LocationFilter_KeepsToThePlaceEvenByCost()
    {
        var declared = new ProfileDeclaration
        {
            Filters = [new RuleDeclaration("location") { Texts = new RuleDeclaration("x").Texts.Add("cluster", "gke-east") }],
            Picker = new RuleDeclaration("least-cost"),
        };
        var west = PoolFixture.Config(2);
        var config = west with
        {
            Scheduling = new SchedulingConfig { Declared = declared },
            Backends =
            [
                west.Backends[0],
                west.Backends[0] with { Id = new BackendId("gke-east", "us-east1-b", 8000), Endpoints = PoolFixture.Config([2, 3]).Backends[0].Endpoints },
            ],
        };
        var pool = new PoolFixture(config);

        for (var i = 0; i < 20; i++)
        {
            var decision = pool.Route();
            if (decision.Kind == RouteKind.Send) Assert.Equal("gke-east", decision.Backend.Cluster);
        }
        Assert.Equal(DecisionReason.NoReadyEndpoint, pool.Route(pool.Request(subset: [PoolFixture.Id(0)])).Reason);
    }

    [Fact]
    public void Route_LowQueue_LeavesOutTheLongQueueAndNobodyWhenAllAreLong()
    {
        var declared = new ProfileDeclaration { Filters = [new RuleDeclaration("low-queue")], Picker = new RuleDeclaration("random") };
        var pool = new PoolFixture(PoolFixture.Config(3) with { Scheduling = new SchedulingConfig { Declared = declared } });
        pool.Sample(0, waiting: 6);
        pool.Sample(1, waiting: 5);

        var chosen = Enumerable.Range(0, 60).Select(_ => pool.Route().Endpoint).ToHashSet();
        pool.Sample(1, waiting: 9);
        pool.Sample(2, waiting: 7);

        Assert.Equal([PoolFixture.Id(1), PoolFixture.Id(2)], chosen.Order());
        Assert.Equal(RouteKind.Send, pool.Route().Kind);
    }
}
