using Mesh.Engine.Federation;

namespace Mesh.Regions.Tests.Links;

public sealed class PeerIdentityTests
{
    private static readonly PeerIdentity Self = new("a", "region-a", FederationHub.Protocol, 1, "0.1");
    private static readonly PeerAddress Peer = new("b", "region-b", [new Uri("http://127.0.0.1:1")]);

    [Fact]
    public void Objection_TheConfiguredPeer_None() => Assert.Null(Self.Objection(Peer, new PeerIdentity("b", "region-b", FederationHub.Protocol, 7, "0.2")));

    [Theory]
    [InlineData("c", "region-b", "'c', not 'b'")]
    [InlineData("a", "region-b", "own name")]
    [InlineData("b", "region-a", "which this gateway serves itself")]
    [InlineData("b", "region-c", "not 'region-b'")]
    public void Objection_WrongNameOrRegion_SaysWhich(string name, string region, string says) =>
        Assert.Contains(says, Self.Objection(Peer, new PeerIdentity(name, region, FederationHub.Protocol, 7, "0.2")), StringComparison.Ordinal);

    [Fact]
    public void Objection_OtherProtocol_SaysBothVersions() =>
        Assert.Contains("version 99", Self.Objection(Peer, new PeerIdentity("b", "region-b", 99, 7, "9.9")), StringComparison.Ordinal);

    [Fact]
    public void Objection_NoIdentity_SaysThatNoGatewayAnswers() => Assert.Contains("does not say who it is", Self.Objection(Peer, null), StringComparison.Ordinal);

    [Fact]
    public void Read_HeadersOfAnIdentity_GivesItBack()
    {
        var headers = Self.Headers().ToDictionary(h => h.Key, h => h.Value);
        Assert.Equal(Self, PeerIdentity.Read(headers.GetValueOrDefault!));
        headers.Remove(PeerIdentity.EpochHeader);
        Assert.Null(PeerIdentity.Read(headers.GetValueOrDefault!));
    }

    [Fact]
    public void Validate_TwoPeersOfOneRegion_Throws()
    {
        var settings = new FederationSettings { Name = "a", Region = "region-a", Peers = [Peer, Peer with { Name = "c" }] };
        Assert.Contains("both serve region 'region-b'", Assert.Throws<ArgumentException>(settings.Validate).Message, StringComparison.Ordinal);
        settings = settings with { Peers = [Peer with { Region = "region-a" }] };
        Assert.Contains("both serve region 'region-a'", Assert.Throws<ArgumentException>(settings.Validate).Message, StringComparison.Ordinal);
        settings = settings with { Peers = [Peer with { Name = "a" }] };
        Assert.Contains("named 'a'", Assert.Throws<ArgumentException>(settings.Validate).Message, StringComparison.Ordinal);
    }
}
