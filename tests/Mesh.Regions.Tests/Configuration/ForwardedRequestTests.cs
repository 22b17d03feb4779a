using Mesh.Core.Config;
using Mesh.Core.Routing;
using Mesh.Engine.Federation;
using Mesh.Gateway.Federation.Forwarding;
using Mesh.Gateway.Upstream;

namespace Mesh.Regions.Tests.Configuration;

public sealed class ForwardedRequestTests
{
    private static readonly PeerIdentity Origin = new("a", "region-a", FederationHub.Protocol, 1, "");

    private static readonly ForwardedRequest Request = new("region-a", new PoolId("ns", "pool"))
    {
        Priority = -5, FairnessId = "tenant 7/é", TimeLeft = TimeSpan.FromSeconds(12), Epoch = 42, Reason = DecisionReason.Overfill, Session = ulong.MaxValue, Explain = true,
    };

    [Fact]
    public void Read_WhatWasWritten_IsTheSame()
    {
        var headers = new HeaderDictionary();
        Request.Write(headers);
        Assert.Equal(Request, ForwardedRequest.Read(headers, Origin));
    }

    [Fact]
    public void Write_EveryHeader_IsOneThatOrdinaryListenersNeverPassOn()
    {
        var headers = new HeaderDictionary();
        Request.Write(headers);
        Assert.All(headers.Keys, name => Assert.False(HeaderRules.IsForwarded(name, default)));
    }

    [Theory]
    [InlineData("x-mesh-forward-pool", "pool")]
    [InlineData("x-mesh-forward-hops", "-1")]
    [InlineData("x-mesh-forward-priority", "high")]
    [InlineData("x-mesh-forward-epoch", "")]
    [InlineData("x-mesh-forward-time-left-ms", "99999999999999")]
    public void Read_HeaderOfNoUse_IsNoForwardedRequest(string name, string value)
    {
        var headers = new HeaderDictionary();
        Request.Write(headers);
        headers[name] = value;
        Assert.Null(ForwardedRequest.Read(headers, Origin));
    }
}
