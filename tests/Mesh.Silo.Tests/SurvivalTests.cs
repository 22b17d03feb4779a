using Mesh.Grains.Contracts;
using Mesh.Testing.Net;
using Xunit.Abstractions;

namespace Mesh.Silo.Tests;

/// <summary>
/// What a region of real processes lives through under load: no surviving gateway loses a request, nothing is left over, and requests go on soon.
/// MESH_LONG=1 runs it at full rate and length.
/// </summary>
public sealed class SurvivalTests(ProcessRegion region, ITestOutputHelper output) : IClassFixture<ProcessRegion>
{
    private static readonly bool IsLong = Environment.GetEnvironmentVariable("MESH_LONG") == "1";
    private static readonly double Rate = IsLong ? 500 : 60;
    private static readonly TimeSpan Steady = TimeSpan.FromSeconds(IsLong ? 10 : 2);

    // A machine that is busy with other things answers late whatever happens.
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(IsLong ? 2 : 10);

    [RegionFact]
    public async Task KillSilo_ThatHasThePool_NoRequestIsLostAndTheyGoOn() => await KillSiloAsync(await region.SiloOfPoolAsync(), "silo with the pool killed");

    [RegionFact]
    public async Task KillSilo_ThatHasNotThePool_NoRequestIsLostAndTheyGoOn() => await KillSiloAsync(1 - await region.SiloOfPoolAsync(), "other silo killed");

    [RegionFact]
    public async Task KillSilo_ThatHasThePool_CountsAreExactAgain()
    {
        const int Held = 24;
        await using var pool = await PoolCaller.ConnectAsync(region.Redis);
        using var http = new HttpClient();
        using var leave = new CancellationTokenSource();
        // Long enough to be there before and after.
        var requests = Enumerable.Range(0, Held).Select(i => HoldAsync(http, region.GatewayUri(i % 2), leave.Token)).ToArray();
        PoolStatus? before = null;
        await region.EventuallyAsync(async () => (before = await pool.StatusAsync()) is { Leases: Held } && region.Servers.Sum(s => s.RunningRequests) == Held, "all are placed");
        var silo = await region.SiloOfPoolAsync();

        var killed = TimeProvider.System.GetTimestamp();
        region.KillSilo(silo);
        await region.EventuallyAsync(async () => await pool.StatusAsync() is { Leases: Held, Sessions: 2 } after && after.Epoch > before!.Epoch, "the count is exact again");
        var took = TimeProvider.System.GetElapsedTime(killed);

        output.WriteLine($"counts are exact {took.TotalSeconds:F2} s after the silo was killed");
        Assert.Equal(Held, region.Servers.Sum(s => s.RunningRequests));
        Assert.True(took < LongestPause, $"exact only {took.TotalSeconds:F1} s after the silo was killed");
        await leave.CancelAsync();
        await Task.WhenAll(requests);
        await AssertNothingLeftAsync();
        region.StartSilo(silo);
        await region.ReadyAsync();
    }

    [RegionFact]
    public async Task Gateways_FourInsteadOfOne_EndpointsAreScrapedNoMore()
    {
        await region.StopGatewayAsync(1);
        using var load = new OpenLoad(region, Rate, 0);
        var one = await ScrapesAsync();
        for (var gateway = 1; gateway < 4; gateway++) region.StartGateway(gateway);
        await region.ReadyAsync();
        load.Use(0, 1, 2, 3);
        var four = await ScrapesAsync();
        load.Use(0, 1);
        for (var gateway = 2; gateway < 4; gateway++) await region.StopGatewayAsync(gateway);
        var sent = await load.StopAsync();

        output.WriteLine($"scrapes per endpoint and second: {one:F1} with one gateway, {four:F1} with four");
        AssertNoneLost(sent, 0, 1, 2, 3);
        // A machine that is busy with other things scrapes less often than it should; more often it can only by a mistake.
        var configured = 1 / new Engine.EngineOptions().ScrapeInterval.TotalSeconds;
        Assert.InRange(one, 0.1, configured * 1.3);
        Assert.InRange(four, 0.1, configured * 1.3);
        await AssertNothingLeftAsync();
    }

    [RegionFact]
    public async Task KillGateway_TheOtherLosesNothingAndItsLeasesComeBack()
    {
        using var load = new OpenLoad(region, Rate, 0, 1);
        await Task.Delay(Steady);

        region.KillGateway(1);
        load.Use(0);
        await Task.Delay(Steady);
        var sent = await load.StopAsync();

        AssertNoneLost(sent, 0);
        await AssertNothingLeftAsync();
        region.StartGateway(1);
        await region.ReadyAsync();
    }

    [RegionFact]
    public async Task RedisDown_RunningSilosGoOn()
    {
        using var load = new OpenLoad(region, Rate, 0, 1);
        await Task.Delay(Steady);

        await region.StopRedisAsync();
        var stopped = load.Now;
        await Task.Delay(TimeSpan.FromSeconds(IsLong ? 30 : 5));
        region.StartRedis();
        await Task.Delay(Steady);
        var sent = await load.StopAsync();

        AssertNoneLost(sent, 0, 1);
        AssertPause(sent, stopped, "Redis down");
        await AssertNothingLeftAsync();
        await region.ReadyAsync();
    }

    [RegionFact]
    public async Task RollingRestart_NoRequestIsLost_AndNobodyWaitsForIt()
    {
        using var load = new OpenLoad(region, Rate, 0, 1);
        using var watch = new PlacementWatch(region, load);
        await Task.Delay(Steady);
        var steady = load.Now;
        // What starting as many processes does to the others on this machine, without anything of theirs being restarted.
        for (var i = 0; i < (IsLong ? 4 : 1); i++) await StartAnotherAsync();
        var began = load.Now;

        for (var silo = 0; silo < 2; silo++)
        {
            output.WriteLine($"silo {silo} stops at {load.Now.TotalSeconds:F1} s; the pool is on {await region.SiloOfPoolAsync()}");
            await region.StopSiloAsync(silo);
            output.WriteLine($"it has stopped at {load.Now.TotalSeconds:F1} s");
            region.StartSilo(silo);
            await region.ReadyAsync();
        }
        for (var gateway = 0; gateway < 2; gateway++)
        {
            load.Use(1 - gateway);
            output.WriteLine($"gateway {gateway} stops at {load.Now.TotalSeconds:F1} s");
            await region.StopGatewayAsync(gateway);
            region.StartGateway(gateway);
            await region.ReadyAsync();
            load.Use(0, 1);
        }
        await Task.Delay(Steady);
        var ended = load.Now;
        var sent = await load.StopAsync();

        AssertNoneLost(sent, 0, 1);
        Describe("nothing happens", TimeSpan.Zero, steady);
        var (usual, usualPause) = Describe("others are started", steady, began);
        var (p99, pause) = Describe("rolling restart", began, ended);
        Slow(sent, began, ended);
        // Where all have to share two cores with others it is theirs that is measured.
        Assert.True(p99 <= usual * 3 + LongestPause.TotalMilliseconds / 2, $"p99 {p99:F0} ms, {usual:F0} ms while others were started\n{region.Logs()}");
        Assert.True(pause <= usualPause * 3 + LongestPause / 2, $"no placement for {pause}, {usualPause} while others were started\n{region.Logs()}");
        await AssertNothingLeftAsync();

        (double P99, TimeSpan Pause) Describe(string what, TimeSpan from, TimeSpan to)
        {
            var within = sent.Where(r => r.At >= from && r.At < to).ToArray();
            var p99 = Quantile(within, 0.99);
            var pause = watch.LongestPause(sent, from, to);
            output.WriteLine($"{what}: {within.Length} requests; ms until the answer: p50 {Quantile(within, 0.5):F0}, p99 {p99:F0}, longest {Quantile(within, 1):F0}; longest time without a placement {pause.TotalMilliseconds:F0} ms");
            return (p99, pause);
        }
    }

    [RegionFact]
    public async Task Both_OneProcessWithoutRedis_ServesAndStops()
    {
        var port = FreePorts.Next();
        using var http = new HttpClient { Timeout = TimeSpan.FromSeconds(10) };
        using var process = await StartBothAsync(port, http);

        using var content = new StringContent("""{"model":"meta-llama/Llama-3.1-8B-Instruct","prompt":"Hello","max_tokens":5}""", new System.Net.Http.Headers.MediaTypeHeaderValue("application/json"));
        using var answer = await http.PostAsync(new Uri($"http://127.0.0.1:{port}/v1/completions"), content);

        Assert.True(answer.IsSuccessStatusCode, process.Output);
        await process.StopAsync();
        Assert.Contains("Stopped.", process.Output, StringComparison.Ordinal);
    }

    private async Task<double> ScrapesAsync()
    {
        var (from, began) = (region.Servers.Sum(s => s.MetricsReads), TimeProvider.System.GetTimestamp());
        await Task.Delay(Steady);
        return (region.Servers.Sum(s => s.MetricsReads) - from) / TimeProvider.System.GetElapsedTime(began).TotalSeconds / ProcessRegion.Endpoints;
    }

    private static async Task HoldAsync(HttpClient http, Uri gateway, CancellationToken cancellationToken)
    {
        using var content = new ByteArrayContent(OpenLoad.Prompt(maxTokens: 8000));
        content.Headers.ContentType = new("application/json");
        try
        {
            using var answer = await http.PostAsync(new Uri(gateway, "/v1/completions"), content, cancellationToken);
        }
        catch (OperationCanceledException)
        {
            // As it should be: it would have gone on.
        }
    }

    // A silo and gateway of its own, which knows nothing of the region.
    private async Task<OwnProcess> StartBothAsync(int port, HttpClient http)
    {
        var process = OwnProcess.Start("both", "dotnet",
        [
            Path.Combine(AppContext.BaseDirectory, "Mesh.Silo.dll"), "--manifests", region.Manifests, "--Silo:Port", $"{FreePorts.Next()}",
            "--Silo:GatewayPort", $"{FreePorts.Next()}", $"--Mesh:Listeners:80=127.0.0.1:{port}",
        ]);
        try
        {
            await region.EventuallyAsync(
                async () => (await http.GetAsync(new Uri($"http://127.0.0.1:{port}/readyz"))).IsSuccessStatusCode, "the process is ready");
            return process;
        }
        catch
        {
            process.Dispose();
            throw;
        }
    }

    private async Task StartAnotherAsync()
    {
        using var http = new HttpClient { Timeout = TimeSpan.FromSeconds(10) };
        using var process = await StartBothAsync(FreePorts.Next(), http);
        await process.StopAsync();
    }

    private async Task KillSiloAsync(int silo, string what)
    {
        using var load = new OpenLoad(region, Rate, 0, 1);
        await Task.Delay(Steady);

        var killed = load.Now;
        region.KillSilo(silo);
        await Task.Delay(Steady + TimeSpan.FromSeconds(4));
        var sent = await load.StopAsync();

        AssertNoneLost(sent, 0, 1);
        AssertPause(sent, killed, what);
        await AssertNothingLeftAsync();
        region.StartSilo(silo);
        await region.ReadyAsync();
    }

    private void AssertNoneLost(IReadOnlyList<SentRequest> sent, params int[] gateways)
    {
        Assert.NotEmpty(sent);
        var lost = sent.Where(r => r.Failure is not null && gateways.Contains(r.Gateway)).ToArray();
        output.WriteLine($"{sent.Count} requests, {lost.Length} lost");
        foreach (var group in lost.GroupBy(r => (r.Gateway, r.Failure)))
        {
            output.WriteLine($"  {group.Count()} at gateway {group.Key.Gateway}, {group.Min(r => r.At).TotalSeconds:F1}-{group.Max(r => r.At + r.Took).TotalSeconds:F1} s: {group.Key.Failure}");
        }
        Assert.True(lost.Length == 0, $"{lost.Length} of {sent.Count} lost, the first: {lost.FirstOrDefault()}\n{region.Logs()}");
    }

    private void AssertPause(IReadOnlyList<SentRequest> sent, TimeSpan at, string what, TimeSpan? window = null)
    {
        var until = window == TimeSpan.MaxValue ? TimeSpan.MaxValue : at + TimeSpan.FromSeconds(3);
        var usual = Quantile(sent.Where(r => r.At < at), 0.5);
        // Those that were under way at the moment count, too.
        var near = sent.Where(r => r.At + r.Took >= at && r.At <= until).ToArray();
        var (p50, p99, most) = (Quantile(near, 0.5), Quantile(near, 0.99), Quantile(near, 1));
        output.WriteLine($"{what}: {near.Length} requests; ms until the answer: before {usual:F0}, p50 {p50:F0}, p99 {p99:F0}, longest {most:F0}");
        Slow(near, at, until);
        Assert.True(p99 - usual <= LongestPause.TotalMilliseconds, $"{what}: p99 {p99:F0} ms, {usual:F0} ms before\n{region.Logs()}");
    }

    private void Slow(IEnumerable<SentRequest> sent, TimeSpan from, TimeSpan to)
    {
        foreach (var second in sent.Where(r => r.At >= from && r.At < to && r.Took > TimeSpan.FromMilliseconds(400)).GroupBy(r => (int)r.At.TotalSeconds))
        {
            output.WriteLine($"  {second.Count()} slow requests begun at {second.Min(r => r.At).TotalSeconds:F1}-{second.Max(r => r.At).TotalSeconds:F1} s, longest {second.Max(r => r.Took).TotalMilliseconds:F0} ms");
        }
    }

    private async Task AssertNothingLeftAsync()
    {
        await region.EventuallyAsync(async () => await region.LeasesAsync() == 0, "no lease is left over");
        // An endpoint learns of a client that left a moment after the gateway does.
        await region.EventuallyAsync(() => Task.FromResult(region.Servers.Sum(s => s.RunningRequests) == 0), "no endpoint works for nobody");
    }

    private static double Quantile(IEnumerable<SentRequest> requests, double quantile)
    {
        var sorted = requests.Select(r => r.Took.TotalMilliseconds).Order().ToArray();
        return sorted.Length == 0 ? 0 : sorted[Math.Min(sorted.Length - 1, (int)(sorted.Length * quantile))];
    }
}
