using Mesh.Gateway.Hosting;

namespace Mesh.Gateway.Tests.Drains;

public sealed class StateHomeTests
{
    private static string? Of(string? variable, string value, GatewayOptions? options = null, string manifests = "/etc/mesh") =>
        StateHome.For(options ?? new GatewayOptions(), manifests, name => name == variable ? value : null);

    [Fact]
    public void For_Systemd_IsItsDirectory() => Assert.Equal("/var/lib/mesh", Of("STATE_DIRECTORY", "/var/lib/mesh:/var/lib/other"));

    [Fact]
    public void For_NoHome_IsNull() => Assert.Null(Of(null, ""));

    [Fact]
    public void For_AHome_IsOnePerGateway()
    {
        var own = Of("HOME", "/home/me");
        Assert.StartsWith("/home/me/.local/state/mesh/mesh-", own, StringComparison.Ordinal);
        Assert.Equal(own, Of("HOME", "/home/me"));
        string?[] others =
        [
            Of("XDG_STATE_HOME", "/state"), Of("HOME", "/home/me", manifests: "/etc/other"), Of("HOME", "/home/me", new GatewayOptions { Region = "r" }),
            Of("HOME", "/home/me", new GatewayOptions { AdminAddress = "127.0.0.1:1" }), Of("HOME", "/home/me", new GatewayOptions { Listeners = { ["80"] = "81" } }),
        ];
        Assert.Equal(others.Length, others.Append(own).Distinct().Count() - 1);
    }
}
