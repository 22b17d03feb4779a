using Mesh.Gateway.Keys;
using Mesh.Gateway.Tests.Support;

namespace Mesh.Sdk.Tests;

/// <summary>A gateway that asks for a key, which has one request in a minute.</summary>
internal sealed class KeyedGateway : IAsyncDisposable
{
    public const string Key = "sk-0123456789abcdef0123456789";

    private readonly ScriptedBackend _backend;

    private KeyedGateway(ScriptedBackend backend, TestGateway gateway)
    {
        _backend = backend;
        Gateway = gateway;
    }

    public TestGateway Gateway { get; }

    public Uri Uri => Gateway.Uri;

    public static async Task<KeyedGateway> StartAsync()
    {
        var backend = ScriptedBackend.Answering(500, "{}");
        var gateway = await TestGateway.StartAsync(
            Configs.For(backend.Id), o => o.Keys.Entries["team"] = new KeyEntry { Hash = KeyHash.Of("team", Key).ToString(), RequestsPerMinute = 1 });
        return new KeyedGateway(backend, gateway);
    }

    public async ValueTask DisposeAsync()
    {
        await Gateway.DisposeAsync();
        await _backend.DisposeAsync();
    }
}
