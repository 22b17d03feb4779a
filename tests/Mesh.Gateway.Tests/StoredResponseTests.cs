using System.Net;
using System.Text.Json;
using Mesh.Core.Config;
using Mesh.Core.Endpoints;
using Mesh.Core.Routing;
using Mesh.Gateway.Inference.StoredResponses;
using Mesh.Gateway.Keys;
using Mesh.Gateway.Tests.Support;

namespace Mesh.Gateway.Tests;

/// <summary>A response is looked for where it was made.</summary>
public sealed class StoredResponseTests
{
    private const string Body = """{"model":"m1","input":"hi"}""";

    [Fact]
    public async Task Create_GivesAnIdThatNamesTheEndpoint_EachTimeAnother()
    {
        await using var a = ScriptedBackend.Answering(200, "{}");
        await using var b = ScriptedBackend.Answering(200, "{}");
        await using var gateway = await TestGateway.StartAsync(a, b);
        var ids = new HashSet<string>();
        for (var i = 0; i < 4; i++)
        {
            using var response = await gateway.PostAsync(Body, "/v1/responses");
        }

        foreach (var backend in new[] { a, b })
        {
            foreach (var request in backend.Requests)
            {
                Assert.EndsWith(Body[1..], request.Body, StringComparison.Ordinal);
                var id = JsonDocument.Parse(request.Body).RootElement.GetProperty("request_id").GetString()!;
                Assert.True(ResponseIds.TryReadTag(id, out var tag));
                Assert.Equal(ResponseIds.TagOf(backend.Id), tag);
                ids.Add(id);
            }
        }

        Assert.Equal(4, ids.Count);
    }

    [Fact]
    public async Task Create_WithAnIdOfTheClients_KeepsIt()
    {
        await using var backend = ScriptedBackend.Answering(200, "{}");
        await using var gateway = await TestGateway.StartAsync(backend);
        const string Own = """{"model":"m1","input":"hi","request_id":"resp_own"}""";
        using var response = await gateway.PostAsync(Own, "/v1/responses");
        Assert.Equal(Own, backend.Requests.Single().Body);
    }

    [Fact]
    public async Task Create_FailsOver_WithAnIdOfTheNewEndpoint()
    {
        await using var full = ScriptedBackend.Answering(503, "{}");
        await using var free = ScriptedBackend.Answering(200, "{}");
        await using var gateway = await TestGateway.StartAsync(full, free);
        using var response = await gateway.PostAsync(Body, "/v1/responses");
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.True(ResponseIds.TryReadTag(JsonDocument.Parse(free.Requests.Single().Body).RootElement.GetProperty("request_id").GetString(), out var tag));
        Assert.Equal(ResponseIds.TagOf(free.Id), tag);
    }

    [Theory]
    [InlineData("GET", "")]
    [InlineData("POST", "/cancel")]
    public async Task GetAndCancel_GoToTheEndpointOfTheId_WithoutALease(string method, string suffix)
    {
        await using var a = ScriptedBackend.Answering(200, """{"from":"a"}""");
        await using var b = ScriptedBackend.Answering(200, """{"from":"b"}""");
        await using var gateway = await TestGateway.StartAsync(a, b);
        // Even where nothing can be placed.
        gateway.Engine.RefuseWith = DecisionReason.Saturated;
        foreach (var backend in new[] { b, a, b })
        {
            var path = $"/v1/responses/{IdAt(backend.Id)}{suffix}";
            using var request = new HttpRequestMessage(new HttpMethod(method), path + "?include=x");
            using var response = await gateway.Client.SendAsync(request);
            Assert.Equal(HttpStatusCode.OK, response.StatusCode);
            Assert.Equal($"{method} {path}?include=x HTTP/1.1", backend.Requests.Last().RequestLine);
        }

        Assert.Equal((1, 2), (a.Requests.Count, b.Requests.Count));
        Assert.Empty(gateway.Engine.Requests);
    }

    [Theory]
    [InlineData("resp_unknown")]
    [InlineData("resp_00000000000000000123456789abcdef01234567")]
    public async Task Get_UnknownId_Is404(string id)
    {
        await using var backend = ScriptedBackend.Answering(200, "{}");
        await using var gateway = await TestGateway.StartAsync(backend);
        using var response = await gateway.Client.GetAsync($"/v1/responses/{id}");
        Assert.Equal((HttpStatusCode.NotFound, "response_not_found"), (response.StatusCode, (await ErrorBody.ReadAsync(response)).Code));
        using var delete = await gateway.Client.DeleteAsync($"/v1/responses/{id}");
        Assert.Equal(HttpStatusCode.MethodNotAllowed, delete.StatusCode);
        Assert.Equal(["GET"], delete.Content.Headers.Allow);
        Assert.Empty(backend.Requests);
    }

    [Theory]
    [InlineData("DELETE", "", 405)]
    [InlineData("PUT", "", 405)]
    [InlineData("POST", "", 405)]
    [InlineData("GET", "/cancel", 405)]
    [InlineData("GET", "", 200)]
    [InlineData("POST", "/cancel", 200)]
    public async Task UnderRewritingRoutes_OnlyTheRightMethodPasses(string method, string suffix, int status)
    {
        await using var backend = ScriptedBackend.Answering(200, "{}");
        var config = Configs.For(backend.Id);
        var filters = new HttpRouteFiltersConfig { UrlRewrite = new UrlRewriteConfig(null, new PathEdit(PathEditType.ReplacePrefixMatch, "/")) };
        await using var gateway = await TestGateway.StartAsync(config with { Routes = [config.Routes[0] with { Rules = [config.Routes[0].Rules[0] with { Filters = filters }] }] });
        using var request = new HttpRequestMessage(new HttpMethod(method), $"/v1/responses/{IdAt(backend.Id)}{suffix}");
        if (method is "POST" or "PUT") request.Content = new StringContent(Body);
        using var response = await gateway.Client.SendAsync(request);
        Assert.Equal(status, (int)response.StatusCode);
        Assert.Equal(status == 200 ? 1 : 0, backend.Requests.Count);
    }

    [Theory]
    [InlineData("GET", "")]
    [InlineData("POST", "/cancel")]
    public async Task KeyOfOtherModels_GetsAndCancelsOnlyWhatIsOfItsOwn(string method, string suffix)
    {
        const string Key = "sk-0123456789abcdef0123456789";
        await using var backend = ScriptedBackend.Answering(200, "{}");
        await using var gateway = await TestGateway.StartAsync(
            Configs.For(backend.Id), o => o.Keys.Entries["team"] = new KeyEntry { Hash = KeyHash.Of("team", Key).ToString(), Models = ["llama-*"] });
        // The last is none that tells its model.
        foreach (var (id, status) in new[] { (IdAt(backend.Id, "llama-3.1/8b:ü"), 200), (IdAt(backend.Id), 403), (IdAt(backend.Id)[..45], 403) })
        {
            using var request = new HttpRequestMessage(new HttpMethod(method), $"/v1/responses/{id}{suffix}");
            request.Headers.TryAddWithoutValidation("Authorization", $"Bearer {Key}");
            using var response = await gateway.Client.SendAsync(request);
            Assert.Equal(status, (int)response.StatusCode);
            if (status == 403) Assert.Equal("model_not_allowed", (await ErrorBody.ReadAsync(response)).Code);
        }

        Assert.Single(backend.Requests);
    }

    [Fact]
    public async Task Get_EndpointDown_Is502()
    {
        var dead = Configs.Dead();
        await using var gateway = await TestGateway.StartAsync(Configs.For(dead));
        using var response = await gateway.Client.GetAsync($"/v1/responses/{IdAt(dead)}");
        Assert.Equal((HttpStatusCode.BadGateway, "all_attempts_failed"), (response.StatusCode, (await ErrorBody.ReadAsync(response)).Code));
    }

    [Fact]
    public async Task PreviousResponse_AllowsItsEndpointAlone_UnlessItIsGone()
    {
        await using var a = ScriptedBackend.Answering(200, "{}");
        await using var b = ScriptedBackend.Answering(200, "{}");
        await using var gateway = await TestGateway.StartAsync(a, b);
        foreach (var previous in new[] { IdAt(b.Id), IdAt(b.Id), IdAt(Configs.Dead()), "resp_other" })
        {
            using var response = await gateway.PostAsync($$"""{"model":"m1","input":"hi","previous_response_id":"{{previous}}"}""", "/v1/responses");
        }

        var subsets = gateway.Engine.Requests.Select(r => r.Subset).ToArray();
        Assert.Equal([b.Id], subsets[0].ToArray());
        Assert.Equal([b.Id], subsets[1].ToArray());
        Assert.True(subsets[2].IsDefault);
        Assert.True(subsets[3].IsDefault);
    }

    private static string IdAt(EndpointId endpoint, string model = "m1")
    {
        var field = System.Text.Encoding.ASCII.GetString(ResponseIds.NewField(endpoint, model));
        return field.Split('"')[3];
    }
}
