using Mesh.Core.Regions.Reports;
using Mesh.Core.Routing;

namespace Mesh.Core.Tests.Regions;

/// <summary>Routing with peers allocates nothing.</summary>
public sealed class ForwardingAllocationTests
{
    [Fact]
    public void RouteAndComplete_WithPeers_AllocateNothing()
    {
        var home = new HomeRegion(endpoints: 1);
        ulong[] chain = [.. Enumerable.Range(1, 40).Select(i => (ulong)i * 0x9E3779B97F4A7C15)];
        home.Report("near", HomeRegion.Part(grant: 1e9) with { Models = ["a", "m"], HotPrefixes = [new HotPrefix((uint)chain[7], 8)] });
        home.Report("far", HomeRegion.Part(grant: 1e9));
        var request = HomeRegion.Request(prompt: 20_000) with { PrefixChain = chain, Model = "m" };
        var forwarded = Run(home, in request, 2000);
        Assert.True(forwarded > 0);

        var before = GC.GetAllocatedBytesForCurrentThread();
        Run(home, in request, 2000);

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    private static int Run(HomeRegion home, in RouteRequest request, int times)
    {
        var forwarded = 0;
        for (var i = 0; i < times; i++)
        {
            var first = home.State.Route(in request);
            var second = home.State.Route(in request);
            if (first.Kind == RouteKind.Forward || second.Kind == RouteKind.Forward) forwarded++;
            End(home, in first);
            End(home, in second);
        }

        return forwarded;
    }

    private static void End(HomeRegion home, in RouteDecision decision)
    {
        var outcome = new RequestOutcome(OutcomeKind.Success);
        if (decision.Kind == RouteKind.Wait) home.State.CancelWait(decision.Ticket);
        else home.State.Complete(decision.Lease, in outcome);
        while (home.State.TryTakeDecided(out _, out var late)) home.State.Complete(late.Lease, in outcome);
    }
}
