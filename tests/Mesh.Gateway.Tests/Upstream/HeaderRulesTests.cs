using Mesh.Gateway.Upstream;
using Microsoft.Extensions.Primitives;

namespace Mesh.Gateway.Tests.Upstream;

public sealed class HeaderRulesTests
{
    [Theory]
    [InlineData("Content-Type", true)]
    [InlineData("Accept", true)]
    [InlineData("X-Custom", true)]
    [InlineData("X-Gateway", true)]
    [InlineData("x-Gateway-Anything", false)]
    [InlineData("X-LLM-D-Inference-Objective", false)]
    [InlineData("x-mesh-origin", false)]
    [InlineData("authorization", false)]
    [InlineData("Proxy-Authorization", false)]
    [InlineData("X-API-Key", false)]
    [InlineData("connection", false)]
    [InlineData("TRANSFER-ENCODING", false)]
    [InlineData("te", false)]
    [InlineData("Content-Length", false)]
    [InlineData("Expect", false)]
    [InlineData("x-hop", false)]
    [InlineData("x-hop2", true)]
    [InlineData(":authority", false)]
    public void IsForwarded(string name, bool forwarded) =>
        Assert.Equal(forwarded, HeaderRules.IsForwarded(name, new StringValues(["keep-alive, X-Hop", "other"])));

    [Theory]
    [InlineData("Content-Length", true)]
    [InlineData("Retry-After", true)]
    [InlineData("Set-Cookie", true)]
    [InlineData("endpoint-load-metrics", true)]
    [InlineData("Connection", false)]
    [InlineData("Keep-Alive", false)]
    [InlineData("Trailer", false)]
    [InlineData("X-Request-Id", false)]
    [InlineData("x-mesh-reason", false)]
    public void IsRelayed(string name, bool relayed) => Assert.Equal(relayed, HeaderRules.IsRelayed(name, default));
}
