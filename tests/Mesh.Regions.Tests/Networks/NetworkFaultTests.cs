using Mesh.Regions.Tests.Support;
using Xunit.Abstractions;

namespace Mesh.Regions.Tests.Networks;

/// <summary>
/// What a network does to regions that overflow into each other. In every world: a request that had not begun is answered elsewhere or
/// refused with a reason, clients of the untouched region notice nothing, the links come back by themselves, and no lease is left over.
/// </summary>
[Collection(AloneCollection.Name)]
public sealed class NetworkFaultTests(DistantRegions regions, ITestOutputHelper output) : IClassFixture<DistantRegions>
{
    // Sixteen have room at home; the rest overflows.
    private const int BusyClients = 28;
    private const int LocalClients = 3;
    private const int Tokens = 40;

    // What a healthy link needs is below 2 s; a test machine may do other things as well.
    private static readonly TimeSpan RecoveryLimit = TimeSpan.FromSeconds(15);

    private static readonly TimeSpan FaultTime = TimeSpan.FromSeconds(2);

    private string Home => regions.All[0].Name;

    private string Near => regions.All[1].Name;

    private string Far => regions.All[2].Name;

    [NamespaceFact]
    public Task Partition_BetweenTwoRegions_TheThirdTakesOver() => PlayAsync(
        async () =>
        {
            regions.Relay.Part(Home, Near);
            await Task.Delay(FaultTime);
        },
        () => regions.Relay.Heal(Home, Near));

    [NamespaceFact]
    public Task OneWayPartition_OurPacketsAreLost_NothingIsForwardedThere() => PlayAsync(
        async () =>
        {
            regions.Relay.Cut(Home, Near);
            // Its reports may still come for a while: that it hears ours no more must be enough.
            await Poll.UntilAsync(
                async () => await regions.All[0].MetricAsync("mesh_peer_state", Near, "state=\"healthy\"") == 0, TimeSpan.FromSeconds(15), () => "the dead half was not noticed");
            var before = await regions.All[0].MetricAsync("mesh_forwarded_requests_total", Near, "answered");
            await Task.Delay(FaultTime);
            Assert.InRange(await regions.All[0].MetricAsync("mesh_forwarded_requests_total", Near, "answered") - before, 0, 16);
        },
        () => regions.Relay.Heal(Home, Near));

    [NamespaceFact]
    public Task Kill_OneRegion_OthersTakeOverUntilItIsBack() => PlayAsync(
        async () =>
        {
            regions.All[1].Kill();
            await Task.Delay(FaultTime);
        },
        regions.All.Length == 0 ? () => { } : regions.All[1].Start,
        // Starting a process takes its time.
        limit: TimeSpan.FromSeconds(60), watched: 2);

    [NamespaceFact]
    public async Task Start_CutOff_ServesFromWhatItKept()
    {
        await regions.AreLinkedAsync(TimeSpan.FromSeconds(60));
        var region = regions.All[2];
        region.Kill();
        foreach (var peer in new[] { Home, Near }) regions.Relay.Part(Far, peer);
        region.Start();
        await using (var load = new Load(region.Listener, 1, Tokens))
        {
            await Poll.UntilAsync(() => Task.FromResult(load.Requests.Any(r => r.Kind == EndKind.Answered)), TimeSpan.FromSeconds(60), () => region.Log);
        }

        Assert.Contains("Starting from the last good configuration of gke-europe", region.Log, StringComparison.Ordinal);
        foreach (var peer in new[] { Home, Near }) regions.Relay.Heal(Far, peer);
        output.WriteLine($"links back after {(await regions.AreLinkedAsync(RecoveryLimit)).TotalSeconds:0.0} s");
    }

    [NamespaceFact]
    public Task Silence_FiveSeconds_EndsByItself() => PlayAsync(
        async () =>
        {
            foreach (var peer in new[] { Near, Far }) regions.Relay.Part(Home, peer);
            await Task.Delay(TimeSpan.FromSeconds(5));
        },
        () =>
        {
            foreach (var peer in new[] { Near, Far }) regions.Relay.Heal(Home, peer);
        });

    [NamespaceFact]
    public Task Loss_TenPercent_SlowsOverflowAndNothingElse() => PlayAsync(
        async () =>
        {
            foreach (var (a, b) in new[] { (Home, Near), (Near, Home), (Home, Far), (Far, Home) }) regions.Relay.Lose(a, b, 0.1);
            await Task.Delay(FaultTime * 2);
        },
        () =>
        {
            regions.Relay.Heal(Home, Near);
            regions.Relay.Heal(Home, Far);
        });

    [NamespaceFact(isLong: true)]
    public Task Flapping_LinkThatComesAndGoes_NobodyNoticesElsewhere() => PlayAsync(
        async () =>
        {
            for (var i = 0; i < 10; i++)
            {
                regions.Relay.Part(Home, Near);
                await Task.Delay(700);
                regions.Relay.Heal(Home, Near);
                await Task.Delay(700);
            }
        },
        () => regions.Relay.Heal(Home, Near));

    private async Task PlayAsync(Func<Task> fault, Action heal, TimeSpan? limit = null, int watched = 1)
    {
        var linkLimit = TimeSpan.FromSeconds(60);
        await regions.AreLinkedAsync(linkLimit);
        await using var busy = new Load(regions.All[0].Listener, BusyClients, Tokens);
        await using var local = new Load(regions.All[watched].Listener, LocalClients, Tokens);
        await Poll.UntilAsync(async () => await regions.All[0].MetricAsync("mesh_forwarded_requests_total", "answered") > 20, TimeSpan.FromSeconds(30), () => $"nothing overflows\n{regions.All[0].Log}");
        var localBefore = local.Requests.Count;
        await fault();
        var localDuring = local.Requests.Skip(localBefore).ToArray();
        heal();
        var recovery = await regions.AreLinkedAsync(limit ?? RecoveryLimit);
        // Links are one thing, requests over them another.
        var answered = await regions.All[0].MetricAsync("mesh_forwarded_requests_total", Near, "answered");
        var again = await Poll.UntilAsync(
            async () => await regions.All[0].MetricAsync("mesh_forwarded_requests_total", Near, "answered") > answered, limit ?? RecoveryLimit, () => $"nothing goes to {Near} again\n{regions.All[0].Log}");
        await busy.StopAsync();
        await local.StopAsync();
        Tell(busy, localDuring, recovery, again, watched == 2 ? Near : null);
        Assert.DoesNotContain(busy.Requests, r => r.Kind == EndKind.Lost);
        Assert.NotEmpty(localDuring);
        Assert.All(local.Requests, r => Assert.Equal(EndKind.Answered, r.Kind));
        foreach (var region in regions.All)
            await Poll.UntilAsync(async () => await region.MetricAsync("mesh_pool_leases") == 0, TimeSpan.FromSeconds(20), () => $"{region.Name} holds leases");
    }

    private void Tell(Load busy, Ended[] local, TimeSpan recovery, TimeSpan again, string? restarted)
    {
        var kinds = busy.Requests.GroupBy(r => r.Kind).OrderBy(g => g.Key).Select(g => $"{g.Key} {g.Count()}");
        output.WriteLine($"busy: {string.Join(", ", kinds)}; longest {busy.Requests.Max(r => r.Took).TotalSeconds:0.0} s");
        foreach (var lost in busy.Requests.Where(r => r.Kind == EndKind.Lost).Take(5)) output.WriteLine($"lost: {lost}");
        output.WriteLine($"local during the fault: {local.Length}, longest {local.Select(r => r.Took).DefaultIfEmpty().Max().TotalSeconds:0.0} s");
        var start = regions.All.FirstOrDefault(r => r.Name == restarted)?.StartTook;
        if (start is { } took) output.WriteLine($"of that {took.TotalSeconds:0.0} s until the process answered its peers");
        output.WriteLine($"links back after {recovery.TotalSeconds:0.00} s, requests over them {again.TotalSeconds:0.00} s later");
    }
}
