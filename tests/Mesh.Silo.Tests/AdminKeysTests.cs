using System.Net;
using System.Text;
using Mesh.Gateway.Keys;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging.Abstractions;

namespace Mesh.Silo.Tests;

/// <summary>The silo's administrative listener asks for the keys that a gateway's asks for.</summary>
public sealed class AdminKeysTests : IDisposable
{
    private const int Port = 9091;
    private readonly string _reader = KeyHash.NewKey("reader");
    private readonly string _operator = KeyHash.NewKey("operator");
    private readonly string _client = KeyHash.NewKey("client");
    private readonly List<AdminKeys> _all = [];

    public void Dispose()
    {
        foreach (var keys in _all) keys.Dispose();
    }

    [Theory]
    [InlineData("/healthz", "GET", null, 200)]
    [InlineData("/readyz", "GET", null, 200)]
    [InlineData("/mesh/v1/grains", "GET", null, 401)]
    [InlineData("/mesh/v1/grains", "GET", "wrong", 401)]
    [InlineData("/mesh/v1/grains", "GET", "client", 403)]
    [InlineData("/mesh/v1/grains", "GET", "reader", 200)]
    [InlineData("/mesh/v1/grains", "GET", "operator", 200)]
    [InlineData("/dashboard", "GET", null, 401)]
    [InlineData("/dashboard/DashboardCounters", "GET", "reader", 200)]
    [InlineData("/dashboard/anything", "POST", "reader", 403)]
    [InlineData("/dashboard/anything", "POST", "operator", 200)]
    public async Task Handle_KeysConfigured_WhoMayWhat(string path, string method, string? key, int status)
    {
        var context = await SendAsync(Keys(IPAddress.Any), path, method, Bearer(key), IPAddress.Any);

        Assert.Equal(status, context.Response.StatusCode);
    }

    [Fact]
    public async Task Handle_BrowserAtTheDashboard_IsAskedForAPasswordAndMayGiveTheKey()
    {
        var keys = Keys(IPAddress.Any);

        var asked = await SendAsync(keys, "/dashboard", "GET", null, IPAddress.Any);
        Assert.Contains(asked.Response.Headers.WWWAuthenticate, v => v!.StartsWith("Basic", StringComparison.Ordinal));
        var given = await SendAsync(keys, "/dashboard", "GET", $"Basic {Convert.ToBase64String(Encoding.UTF8.GetBytes($"anybody:{_reader}"))}", IPAddress.Any);
        Assert.Equal(200, given.Response.StatusCode);
        var spoiled = await SendAsync(keys, "/dashboard", "GET", "Basic !", IPAddress.Any);
        Assert.Equal(401, spoiled.Response.StatusCode);
    }

    [Fact]
    public async Task Handle_Loopback_AsksOnlyWhereKeysAreRequired()
    {
        Assert.Equal(200, (await SendAsync(Keys(IPAddress.Loopback), "/mesh/v1/grains", "GET", null, IPAddress.Loopback)).Response.StatusCode);
        Assert.Equal(401, (await SendAsync(Keys(IPAddress.Loopback, KeyMode.Required), "/mesh/v1/grains", "GET", null, IPAddress.Loopback)).Response.StatusCode);
    }

    [Fact]
    public async Task Handle_NoKeys_AsksNobody()
    {
        using var keys = new AdminKeys(new KeyOptions(), new IPEndPoint(IPAddress.Loopback, Port), TimeProvider.System, NullLoggerFactory.Instance);

        Assert.Equal(200, (await SendAsync(keys, "/mesh/v1/grains", "GET", null, IPAddress.Loopback)).Response.StatusCode);
    }

    private static async Task<HttpContext> SendAsync(AdminKeys keys, string path, string method, string? authorization, IPAddress at)
    {
        var context = new DefaultHttpContext();
        context.Request.Path = path;
        context.Request.Method = method;
        context.Connection.LocalPort = Port;
        context.Connection.LocalIpAddress = at;
        context.Connection.RemoteIpAddress = IPAddress.Parse("10.0.0.9");
        context.Response.Body = new MemoryStream();
        if (authorization is not null) context.Request.Headers.Authorization = authorization;
        await keys.HandleAsync(context, _ => Task.CompletedTask);
        return context;
    }

    private string? Bearer(string? key) => key switch
    {
        null => null,
        "reader" => $"Bearer {_reader}",
        "operator" => $"Bearer {_operator}",
        "client" => $"Bearer {_client}",
        _ => $"Bearer {key}",
    };

    private AdminKeys Keys(IPAddress at, KeyMode mode = KeyMode.Auto)
    {
        KeyEntry Entry(string id, string key, string role) => new() { Id = id, Hash = KeyHash.Of(id, key).ToString(), Roles = [role] };
        var options = new KeyOptions
        {
            Mode = mode,
            Entries = { ["reader"] = Entry("reader", _reader, "reader"), ["operator"] = Entry("operator", _operator, "operator"), ["client"] = Entry("client", _client, "inference") },
        };
        var keys = new AdminKeys(options, new IPEndPoint(at, Port), TimeProvider.System, NullLoggerFactory.Instance);
        _all.Add(keys);
        return keys;
    }
}
