using System.Runtime.CompilerServices;
using System.Text.Json;
using Mesh.Core.Config;
using Mesh.Core.Endpoints;
using Mesh.Core.Routing;
using Mesh.Gateway.Decisions;
using Mesh.Testing;

namespace Mesh.Gateway.Tests.Decisions;

/// <summary>Pins the schema: whoever reads decisions relies on it.</summary>
public sealed class DecisionJsonTests
{
    private static readonly BackendId East = new("gke-east", "us-east4-a", 8000);

    [Fact]
    public void Line_EveryField_IsTheSchema()
    {
        var time = new ManualTimeProvider();
        time.Advance(TimeSpan.FromSeconds(5));

        var expected = $$"""
            {"schema":1,"request_id":"r1","pool":"default/pool","time":{{JsonSerializer.Serialize(time.GetUtcNow() - TimeSpan.FromSeconds(5))}},"outcome":"send","reason":"best_score","endpoint":"10.0.0.1:8000","backend":"gke-east/us-east4-a:8000","model":"m\u00FC","priority":-1,"prompt_tokens":120,"attempt":2,"profile":"default/own","waited_ms":12.5,"wait_reason":"endpoint_has_work","waits_for":"10.0.0.2:8000","waiting_requests":3,"candidate_count":2,"candidates":[{"endpoint":"10.0.0.1:8000","backend":"gke-east/us-east4-a:8000","cost_ms":7.5,"predicted_ttft_ms":10,"predicted_tpot_ms":null,"wait_ms":1,"queued_ms":2,"own_ms":3,"decode_ms":4,"round_trip_ms":5.123,"cached_tokens":64,"in_flight_requests":6,"kv_utilization_ratio":0.25,"score":1.5,"scores":[{"scorer":"prefix","score":0.5,"weight":3}],"chosen":true}],"removed_by":[{"filter":"healthy","count":1}],"removed":[{"endpoint":"10.0.0.3:8000","filter":"healthy"}],"backends":[{"backend":"gke-east/us-east4-a:8000","fullness":0.5,"in_flight":6,"healthy":2,"endpoints":3,"open":true}]}
            """;

        Assert.Equal(expected, new DecisionJson(time).Line(Whole()));
    }

    [Fact]
    public void Readme_NamesEveryFieldOfTheSchema()
    {
        var readme = File.ReadAllText(Path.Combine(SourceFolder(), "../../../gateway/Mesh.Gateway/Decisions/README.md"));
        using var json = JsonDocument.Parse(new DecisionJson(new ManualTimeProvider()).Line(Whole()));
        foreach (var name in Names(json.RootElement)) Assert.Contains(name, readme, StringComparison.Ordinal);
        Assert.Contains($"## Schema {DecisionJson.Schema}", readme, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(RouteKind.Refuse, DecisionReason.QueueTimeout, "refuse")]
    [InlineData(RouteKind.Refuse, DecisionReason.None, "cancelled")]
    [InlineData(RouteKind.Wait, DecisionReason.Waiting, "wait")]
    public void Line_Outcomes_AreTold(RouteKind kind, DecisionReason reason, string outcome)
    {
        using var json = JsonDocument.Parse(new DecisionJson(new ManualTimeProvider()).Line(
            new ExplainedDecision { RequestId = "r", Pool = new PoolId("default", "pool"), Timestamp = 0, Kind = kind, Reason = reason, Ticket = 4 }));

        Assert.Equal(outcome, json.RootElement.GetProperty("outcome").GetString());
        Assert.Equal(reason == DecisionReason.None, json.RootElement.GetProperty("reason").ValueKind == JsonValueKind.Null);
        Assert.Equal("no_backend_below_target", json.RootElement.GetProperty("wait_reason").GetString());
    }

    [Fact]
    public void ForHeader_MuchToTell_FitsAndKeepsTheChosen()
    {
        var chosen = new EndpointId("10.0.0.9:8000");
        for (var scores = 0; scores <= 40; scores += 4)
        {
            var candidate = Whole().Candidates[0] with { Scores = [.. Enumerable.Range(0, scores).Select(i => new ExplainedScore($"scorer-of-some-length-{i}", 1 / 3d, 2))] };
            var decision = Whole() with
            {
                Model = new string('模', 5000),
                RequestId = new string('x', 5000),
                Endpoint = chosen,
                Candidates = [.. Enumerable.Range(1, 6).Select(i => candidate with { Endpoint = new EndpointId(i == 6 ? chosen.Address : $"10.0.0.{i}:8000") })],
                Removed = [.. Enumerable.Repeat(new RemovedEndpoint(chosen, "healthy"), 16)],
                Backends = [.. Enumerable.Repeat(Whole().Backends[0], 32)],
            };

            var header = new DecisionJson(new ManualTimeProvider()).ForHeader(decision);

            Assert.InRange(header.Length, 1, DecisionJson.MaxHeaderBytes);
            Assert.All(header, c => Assert.InRange(c, ' ', '~'));
            using var json = JsonDocument.Parse(header);
            Assert.True(json.RootElement.GetProperty("truncated").GetBoolean());
            Assert.Equal(chosen.Address, json.RootElement.GetProperty("endpoint").GetString());
            Assert.Contains(json.RootElement.GetProperty("candidates").EnumerateArray(), c => c.GetProperty("chosen").GetBoolean());
        }
    }

    private static ExplainedDecision Whole() => new()
    {
        RequestId = "r1",
        Pool = new PoolId("default", "pool"),
        Timestamp = 0,
        Kind = RouteKind.Send,
        Reason = DecisionReason.BestScore,
        Endpoint = new EndpointId("10.0.0.1:8000"),
        Backend = East,
        Model = "mü",
        Priority = -1,
        PromptTokens = 120,
        FailedBefore = 1,
        Profile = "default/own",
        Waited = TimeSpan.FromMilliseconds(12.5),
        Ticket = 9,
        WaitsFor = new EndpointId("10.0.0.2:8000"),
        WaitingRequests = 3,
        CandidateCount = 2,
        Candidates =
        [
            new ExplainedCandidate(new EndpointId("10.0.0.1:8000"), 7.5, 1, 2, 3, 64, 4, 5.12345)
            {
                Backend = East,
                Score = 1.5,
                Scores = [new ExplainedScore("prefix", 0.5, 3)],
                PredictedTtftMs = 10,
                PredictedTpotMs = double.NaN,
                InFlightRequests = 6,
                KvUtilizationRatio = 0.25,
            },
        ],
        RemovedBy = [new RemovalCount("healthy", 1)],
        Removed = [new RemovedEndpoint(new EndpointId("10.0.0.3:8000"), "healthy")],
        Backends = [new ExplainedBackend(East, 0.5, 6, 2, 3, true)],
    };

    private static IEnumerable<string> Names(JsonElement element) => element.ValueKind switch
    {
        JsonValueKind.Object => element.EnumerateObject().SelectMany(p => Names(p.Value).Prepend(p.Name)),
        JsonValueKind.Array => element.EnumerateArray().SelectMany(Names),
        _ => [],
    };

    private static string SourceFolder([CallerFilePath] string path = "") => Path.GetDirectoryName(path)!;
}
