using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using Mesh.Dashboard.Tests.Support;
using Mesh.Engine;
using Mesh.Gateway.Admin.Live;
using Mesh.Gateway.Hosting;
using Mesh.Gateway.Keys;
using Xunit.Abstractions;

namespace Mesh.Dashboard.Tests.Admin;

public sealed class AdminApiTests(ITestOutputHelper output)
{
    [Fact]
    public async Task Endpoints_FilteredSortedAndByPages_AreThoseThatMatch()
    {
        await using var gateway = await ApiGateway.StartAsync(200);
        var page = await gateway.Client.GetFromJsonAsync<JsonElement>("/api/v1/endpoints?cluster=cluster-01&sort=-inFlightTokens&limit=10&offset=5");
        Assert.Equal(50, page.GetProperty("total").GetInt32());
        var tokens = page.GetProperty("items").EnumerateArray().Select(e => e.GetProperty("inFlightTokens").GetInt64()).ToArray();
        Assert.Equal(10, tokens.Length);
        Assert.Equal(tokens.OrderDescending(), tokens);
        var found = await gateway.Client.GetFromJsonAsync<JsonElement>("/api/v1/endpoints?search=10.2.0.7:8000");
        Assert.Equal("vllm-10-2-0-7-8000", found.GetProperty("items")[0].GetProperty("pod").GetString());
        Assert.Equal(0, (await gateway.Client.GetFromJsonAsync<JsonElement>("/api/v1/endpoints?pool=nobody")).GetProperty("total").GetInt32());
    }

    [Theory]
    [InlineData("endpoints?limit=0", "limit")]
    [InlineData("endpoints?sort=colour", "inFlightRequests")]
    [InlineData("endpoints?colour=red", "cluster")]
    [InlineData("pools?watch=maybe", "true or false")]
    [InlineData("leases?session=nobody", "gateway@epoch")]
    [InlineData("history?since=soon", "step")]
    public async Task Lists_AParameterWithoutMeaning_IsRefusedWithWhatThereIs(string path, string told)
    {
        await using var gateway = await ApiGateway.StartAsync(50);
        using var response = await gateway.Client.GetAsync(new Uri($"/api/v1/{path}", UriKind.Relative));
        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        Assert.Equal("invalid_query", response.Headers.GetValues("x-mesh-reason").Single());
        Assert.Contains(told, await response.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("nothing", "unknown_path", HttpStatusCode.NotFound)]
    [InlineData("pools/default/nobody", "unknown_pool", HttpStatusCode.NotFound)]
    [InlineData("leases?pool=nobody", "unknown_pool", HttpStatusCode.NotFound)]
    public async Task Paths_ThatAreNotThere_SayWhatIs(string path, string reason, HttpStatusCode status)
    {
        await using var gateway = await ApiGateway.StartAsync(50);
        using var response = await gateway.Client.GetAsync(new Uri($"/api/v1/{path}", UriKind.Relative));
        Assert.Equal(status, response.StatusCode);
        Assert.Equal(reason, response.Headers.GetValues("x-mesh-reason").Single());
        Assert.Contains(reason == "unknown_pool" ? "default/big" : "endpoints", await response.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Pools_OneByItsName_AddsUpItsBackends()
    {
        await using var gateway = await ApiGateway.StartAsync(100);
        var pool = await gateway.Client.GetFromJsonAsync<JsonElement>("/api/v1/pools/big");
        Assert.Equal("default/big", pool.GetProperty("id").GetString());
        Assert.Equal(100, pool.GetProperty("readyEndpoints").GetInt32());
        var backends = pool.GetProperty("backends").EnumerateArray().ToArray();
        Assert.Equal(backends.Sum(b => b.GetProperty("inFlightRequests").GetInt32()), pool.GetProperty("inFlightRequests").GetInt32());
        Assert.Equal(backends.Max(b => b.GetProperty("fullness").GetDouble()), pool.GetProperty("fullness").GetDouble());
    }

    [Fact]
    public async Task Watch_TellsAllThatIsThereThenChangesAlone()
    {
        await using var gateway = await ApiGateway.StartAsync(50);
        using var events = await EventReader.OpenAsync(gateway.Client, "/api/v1/backends?watch=true");
        Assert.Equal("ADDED", (await events.NextAsync()).Data.GetProperty("type").GetString());
        Assert.Equal("SYNCED", (await events.NextAsync()).Data.GetProperty("type").GetString());
        var (_, change) = await events.NextAsync();
        Assert.Equal("MODIFIED", change.GetProperty("type").GetString());
        Assert.Equal("cluster-00/region-0-a:8000", change.GetProperty("object").GetProperty("id").GetString());
    }

    [Fact]
    public async Task Events_MachinesInSilos_SayWhereTheyRunAndHowLong()
    {
        await using var gateway = await ApiGateway.StartAsync(50, machines:
        [
            new MachineSnapshot(MachineKind.Pool, "default/big", "10.0.0.1:11111@7") { Epoch = 12, Age = TimeSpan.FromSeconds(47) },
            new MachineSnapshot(MachineKind.Cluster, "cluster-00", "10.0.0.2:11111@8") { Endpoints = 50, ReadyEndpoints = 49, SampleAge = TimeSpan.FromSeconds(1.5), ConfigVersion = 3, Age = TimeSpan.FromMinutes(5) },
        ]);
        using var events = await EventReader.OpenAsync(gateway.Client, "/api/v1/events");

        var table = (await events.NextAsync()).Data.GetProperty("tables").GetProperty("machines");

        Assert.Equal("kind,key,host,epoch,ageSeconds,endpoints,readyEndpoints,sampleAgeSeconds,configVersion", string.Join(',', table.GetProperty("columns").EnumerateArray()));
        Assert.Equal(
            ["pool,default/big,10.0.0.1:11111@7,12,40,0,0,,0", "cluster,cluster-00,10.0.0.2:11111@8,0,300,50,49,1,3"],
            table.GetProperty("rows").EnumerateArray().Select(r => string.Join(',', r.EnumerateArray().Skip(1))));
    }

    [Fact]
    public async Task Events_AThousandEndpoints_StayBelowTheirRateForEachViewer()
    {
        await using var gateway = await ApiGateway.StartAsync(1000);
        using var events = await EventReader.OpenAsync(gateway.Client, "/api/v1/events");
        var (name, snapshot) = await events.NextAsync();
        Assert.Equal("snapshot", name);
        var table = snapshot.GetProperty("tables").GetProperty("endpoints");
        Assert.Equal(1000, table.GetProperty("rows").GetArrayLength());
        Assert.Equal(table.GetProperty("columns").GetArrayLength() + 1, table.GetProperty("rows")[0].GetArrayLength());
        // For figures of a warm process: more rounds, of which the first half is passed over.
        var rounds = int.TryParse(Environment.GetEnvironmentVariable("MESH_LIVE_ROUNDS"), out var wanted) ? wanted : 4;
        for (var i = 0; i < rounds - 4; i++) await events.NextAsync();
        var before = events.Bytes;
        var began = TimeProvider.System.GetTimestamp();
        var processor = Environment.CpuUsage.TotalTime;
        for (var i = 0; i < rounds; i++) Assert.Equal("delta", (await events.NextAsync()).Name);
        var elapsed = TimeProvider.System.GetElapsedTime(began).TotalSeconds;
        var busy = (Environment.CpuUsage.TotalTime - processor).TotalSeconds;
        output.WriteLine($"{(events.Bytes - before) / elapsed / 1000:0.0} kB/s, {100 * busy / elapsed:0.0}% of a core for builder, viewer and this test, which reads the events");
        // Every row of this fleet changes each second. A round that weighs more than the rate allows makes the next one come later; the first is not delayed yet.
        Assert.True((events.Bytes - before) / elapsed < 1.5 * LiveFeed.BytesPerSecond, $"{events.Bytes - before} bytes in {elapsed:0.0} s");
    }

    [Fact]
    public async Task Keys_Required_AskReadersAndRefuseOthers()
    {
        await using var gateway = await ApiGateway.StartAsync(50, WithKeys);
        using var none = await gateway.Client.GetAsync(new Uri("/api/v1/state", UriKind.Relative));
        Assert.Equal(HttpStatusCode.Unauthorized, none.StatusCode);
        Assert.Equal("missing_api_key", none.Headers.GetValues("x-mesh-reason").Single());
        using var inference = await SendAsync(gateway, HttpMethod.Get, "/api/v1/state", InferenceKey);
        Assert.Equal(HttpStatusCode.Forbidden, inference.StatusCode);
        using var reader = await SendAsync(gateway, HttpMethod.Get, "/api/v1/state", ReaderKey);
        Assert.True((await reader.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("asksForKey").GetBoolean());
        using var change = await SendAsync(gateway, HttpMethod.Post, "/api/v1/drains", ReaderKey);
        Assert.Equal("role_missing", change.Headers.GetValues("x-mesh-reason").Single());
        // The files of the dashboard are the same for everybody, and ask for the key.
        using var page = await gateway.Client.GetAsync(new Uri("/dashboard/", UriKind.Relative));
        Assert.Equal(HttpStatusCode.OK, page.StatusCode);
    }

    [Fact]
    public async Task Browsers_WithAStrangeNameOrFromAnotherSite_AreRefused()
    {
        await using var gateway = await ApiGateway.StartAsync(50);
        using var rebound = new HttpRequestMessage(HttpMethod.Get, "/api/v1/state") { Headers = { Host = "attacker.example" } };
        using var first = await gateway.Client.SendAsync(rebound);
        Assert.Equal("not_allowed", first.Headers.GetValues("x-mesh-reason").Single());
        using var forged = new HttpRequestMessage(HttpMethod.Post, "/api/v1/drains") { Headers = { { "Origin", "https://attacker.example" } } };
        using var second = await gateway.Client.SendAsync(forged);
        Assert.Equal("not_allowed", second.Headers.GetValues("x-mesh-reason").Single());
        using var own = new HttpRequestMessage(HttpMethod.Get, "/api/v1/state") { Headers = { Host = $"localhost:{gateway.Admin.Port}" } };
        using var third = await gateway.Client.SendAsync(own);
        Assert.Equal(HttpStatusCode.OK, third.StatusCode);
    }

    [Fact]
    public async Task Dashboard_ItsFiles_LetNothingInFromOutside()
    {
        await using var gateway = await ApiGateway.StartAsync(50, ownListener: false);
        using var page = await gateway.Client.GetAsync(new Uri("/dashboard", UriKind.Relative));
        Assert.Contains("default-src 'none'", page.Headers.GetValues("Content-Security-Policy").Single(), StringComparison.Ordinal);
        Assert.DoesNotContain("://", (await page.Content.ReadAsStringAsync()).Replace("http://www.w3.org", "", StringComparison.Ordinal), StringComparison.Ordinal);
        using var again = new HttpRequestMessage(HttpMethod.Get, "/dashboard/") { Headers = { IfNoneMatch = { page.Headers.ETag! } } };
        using var kept = await gateway.Client.SendAsync(again);
        Assert.Equal(HttpStatusCode.NotModified, kept.StatusCode);
        using var missing = await gateway.Client.GetAsync(new Uri("/dashboard/../secret.js", UriKind.Relative));
        Assert.Equal(HttpStatusCode.NotFound, missing.StatusCode);
    }

    internal const string ReaderKey = "reader-key-that-is-long-enough";

    internal const string InferenceKey = "inference-key-that-is-long-enough";

    internal static void WithKeys(GatewayOptions options)
    {
        options.Keys.Mode = KeyMode.Required;
        options.Keys.Entries["watcher"] = new KeyEntry { Hash = KeyHash.Of("watcher", ReaderKey).ToString(), Roles = ["reader"] };
        options.Keys.Entries["team"] = new KeyEntry { Hash = KeyHash.Of("team", InferenceKey).ToString() };
    }

    private static Task<HttpResponseMessage> SendAsync(ApiGateway gateway, HttpMethod method, string path, string key)
    {
        var request = new HttpRequestMessage(method, path);
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", key);
        return gateway.Client.SendAsync(request);
    }
}
