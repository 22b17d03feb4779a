using System.Net.Http.Json;
using System.Text.Json;
using Mesh.Dashboard.Tests.Support;
using Mesh.Engine.Federation;

namespace Mesh.Dashboard.Tests.Admin;

/// <summary>How peers' links come to the API, the command line and the dashboard.</summary>
public sealed class RegionLinkTests
{
    [Theory]
    [InlineData(nameof(PeerReach.Connecting), "connecting")]
    [InlineData(nameof(PeerReach.Healthy), "reachable")]
    [InlineData(nameof(PeerReach.Suspect), "stale")]
    [InlineData(nameof(PeerReach.Unreachable), "unreachable")]
    [InlineData(nameof(PeerReach.Refused), "refused")]
    public async Task Regions_OfAPeer_SayHowItsLinkIs(string state, string told)
    {
        var peer = new PeerLinkSnapshot
        {
            Name = "east", Region = "far-away", State = Enum.Parse<PeerReach>(state), RoundTrip = TimeSpan.FromMilliseconds(81.5), Credits = 12.25, Forwarded = 3,
            ReportAge = TimeSpan.FromMilliseconds(140),
        };
        var region = (await RegionsAsync(peer))["far-away"];
        Assert.Equal(told, region.GetProperty("link").GetString());
        Assert.False(region.GetProperty("own").GetBoolean());
        Assert.Equal(81.5, region.GetProperty("roundTripMs").GetDouble());
        Assert.Equal(state == nameof(PeerReach.Healthy) ? 12.25 : null, NumberOf(region, "creditRequests"));
        Assert.Equal(3, region.GetProperty("inFlightRequests").GetInt32());
        Assert.Equal(0.14, region.GetProperty("reportAgeSeconds").GetDouble(), 3);
    }

    [Fact]
    public async Task Regions_APeerThatWasNotHeardYet_HasNoTimes()
    {
        var region = (await RegionsAsync(new PeerLinkSnapshot { Name = "east", Region = "far-away", State = PeerReach.Connecting }))["far-away"];
        Assert.Equal("connecting", region.GetProperty("link").GetString());
        Assert.Null(NumberOf(region, "roundTripMs"));
        Assert.Null(NumberOf(region, "reportAgeSeconds"));
        Assert.Equal(0, region.GetProperty("endpoints").GetInt32());
    }

    [Fact]
    public async Task Regions_BesidePeers_AreOwnOrReachedFromHere()
    {
        var regions = await RegionsAsync(new PeerLinkSnapshot { Name = "east", Region = "region-1", State = PeerReach.Healthy });
        Assert.Equal("own", regions["region-0"].GetProperty("link").GetString());
        Assert.True(regions["region-0"].GetProperty("own").GetBoolean());
        Assert.Equal("direct", regions["region-2"].GetProperty("link").GetString());
        Assert.Null(NumberOf(regions["region-2"], "creditRequests"));
    }

    /// <summary>Null where the API leaves it out, as it does what is not known.</summary>
    private static double? NumberOf(JsonElement region, string name) => region.TryGetProperty(name, out var value) ? value.GetDouble() : null;

    private static async Task<Dictionary<string, JsonElement>> RegionsAsync(PeerLinkSnapshot link)
    {
        await using var gateway = await ApiGateway.StartAsync(200, o => o.Region = "region-0", links: [link]);
        var page = await gateway.Client.GetFromJsonAsync<JsonElement>("/api/v1/regions");
        return page.GetProperty("items").EnumerateArray().ToDictionary(r => r.GetProperty("name").GetString()!);
    }
}
