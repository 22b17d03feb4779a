using System.Text.Json;
using Mesh.Core.Routing;
using Mesh.Gateway.Tests.Support;
using Mesh.Gateway.Tests.Telemetry;
using static Mesh.Gateway.Tests.Faults.FaultClient;

namespace Mesh.Gateway.Tests.Faults;

/// <summary>Plays every fault of <see cref="EndpointFaults"/> twice: where no other endpoint is left, and beside a good one.</summary>
public sealed class EndpointFaultTests
{
    public static TheoryData<string> Names => [.. EndpointFaults.All.Select(f => f.Name)];

    [Theory]
    [MemberData(nameof(Names))]
    public async Task Fault_NobodyElseLeft_EndsAsTheTableSays(string name)
    {
        var fault = Find(name);
        await using var backend = BackendOf(fault);
        await using var gateway = await TestGateway.StartAsync(Configs.With(Configs.Pool, fault.Timeout, backend?.Id ?? Configs.Dead()), fault.Options);
        await WarmAsync(gateway, fault);
        var (seen, status) = await SeeAsync(gateway);
        Assert.Equal(fault.Sees, seen);
        await SettledAsync(gateway);
        var earlier = fault.ShowsOnReuse ? 1 : 0;
        Assert.Equal(earlier + 1, gateway.Engine.Outcomes.Count);
        Assert.Equal(fault.Outcome, gateway.Engine.Outcomes.Last().Kind);
        await CountedAsync(gateway, fault, status, earlier);
        if (backend is not null) await Eventually.TrueAsync(() => backend.OpenConnections == 0 || fault.Ending == "complete" || fault.Instead is not null, "a connection that broke is closed");
    }

    [Theory]
    [MemberData(nameof(Names))]
    public async Task Fault_AnotherEndpointThere_GoesOnAsTheTableSays(string name)
    {
        var fault = Find(name);
        await using var backend = BackendOf(fault);
        await using var good = ScriptedBackend.Answering(200, "{}");
        var config = Configs.With(Configs.Pool, fault.Timeout, backend?.Id ?? Configs.Dead(), good.Id);
        await using var gateway = await TestGateway.StartAsync(config, fault.Options);
        // In turn: the first and, after one at the good endpoint, the third request go to the faulty one.
        if (fault.ShowsOnReuse)
        {
            await WarmAsync(gateway, fault);
            await WarmAsync(gateway, fault);
        }

        var before = good.Requests.Count;
        var (seen, _) = await SeeAsync(gateway);
        await SettledAsync(gateway);
        Assert.Equal(fault.Elsewhere is null ? fault.Sees : "200, whole", seen);
        Assert.Equal(fault.Elsewhere is null ? 0 : 1, good.Requests.Count - before);
        if (fault.Elsewhere is { } reason) Assert.Equal(1, gateway.Host.Metrics.Retries.With("default/pool", reason).Value);
        Assert.Equal(fault.Elsewhere is null ? [fault.Outcome] : [fault.Outcome, OutcomeKind.Success], gateway.Engine.Outcomes.Skip(before * 2).Select(o => o.Kind));
    }

    [Theory]
    [InlineData(429)]
    [InlineData(500)]
    [InlineData(502)]
    [InlineData(503)]
    [InlineData(504)]
    public async Task Status_Once_TheNextRequestIsAnswered(int status)
    {
        var answered = 0;
        await using var backend = ScriptedBackend.Start(x => x.SendAsync(ScriptedBackend.Http(Interlocked.Increment(ref answered) == 1 ? status : 200, "{}")));
        await using var gateway = await TestGateway.StartAsync(backend);
        using var first = await gateway.PostAsync(Body);
        using var second = await gateway.PostAsync(Body);
        Assert.Equal((status, 200), ((int)first.StatusCode, (int)second.StatusCode));
        await SettledAsync(gateway);
        Assert.Equal(1, backend.Connections);
    }

    [Fact]
    public void Readme_TableOfFaults_IsWhatIsTested()
    {
        var readme = File.ReadAllText(Repository.PathOf("gateway", "Mesh.Gateway", "README.md"));
        var rows = string.Join('\n', EndpointFaults.All.Select(f => f.Row));
        Assert.True(readme.Contains(rows, StringComparison.Ordinal), $"gateway/Mesh.Gateway/README.md should have, under Faults:\n{rows}");
    }

    private static Fault Find(string name) => EndpointFaults.All.Single(f => f.Name == name);

    private static ScriptedBackend? BackendOf(Fault fault) =>
        fault.Script is null && fault.Instead is null ? null : ScriptedBackend.Start(fault.Script ?? (_ => Task.CompletedTask), fault.Instead);

    private static async Task WarmAsync(TestGateway gateway, Fault fault)
    {
        if (!fault.ShowsOnReuse) return;
        using var response = await gateway.PostAsync(Body);
        Assert.Equal("{}", await response.Content.ReadAsStringAsync());
        await SettledAsync(gateway);
    }

    /// <summary>One request, and what its client would say of the answer.</summary>
    private static async Task<(string Seen, int Status)> SeeAsync(TestGateway gateway)
    {
        using var response = await gateway.PostAsync(Body);
        var status = (int)response.StatusCode;
        string text;
        try
        {
            text = await response.Content.ReadAsStringAsync();
        }
        catch (HttpRequestException)
        {
            return ($"{status}, connection aborted", status);
        }

        if (status != 200)
        {
            if (!response.Headers.TryGetValues("x-mesh-reason", out var reasons)) return ($"{status} of the endpoint", status);
            Assert.Equal(reasons.Single(), CodeOf(text));
            return ($"{status} `{reasons.Single()}`", status);
        }

        const string Event = "data: {\"error\":";
        var at = text.IndexOf(Event, StringComparison.Ordinal);
        if (at < 0) return ("200, whole", status);
        Assert.DoesNotContain("[DONE]", text, StringComparison.Ordinal);
        return ($"200, event `{CodeOf(text[(at + "data: ".Length)..])}`", status);
    }

    private static string? CodeOf(string json) => JsonDocument.Parse(json).RootElement.GetProperty("error").GetProperty("code").GetString();

    private static async Task CountedAsync(TestGateway gateway, Fault fault, int status, int earlier)
    {
        await Eventually.TrueAsync(() => gateway.Host.OpenRequests == 0, "the request is over");
        var metrics = gateway.Host.Metrics;
        var alike = earlier > 0 && fault.Ending == "complete" ? earlier : 0;
        Assert.Equal(1 + alike, metrics.Endings.With("default/pool", fault.Ending).Value);
        Assert.Equal(1 + alike, metrics.Requests.With("default/pool", "m1", status.ToString(null, null)).Value);
        if (fault.Sees.Split('`') is [_, var code, _])
        {
            Assert.Equal(1, metrics.Failures.With("default/pool", code).Value);
            Assert.Equal(1, metrics.Refusals.With(code).Value);
        }

        // Nobody else was there, so nothing was sent again.
        if (fault.Elsewhere is { } reason) Assert.Equal(0, metrics.Retries.With("default/pool", reason).Value);
    }
}
