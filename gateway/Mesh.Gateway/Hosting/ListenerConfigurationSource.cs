using System.Collections.Immutable;

namespace Mesh.Gateway.Hosting;

/// <summary>Hands the listeners to Kestrel as configuration, which it watches: endpoints that appear are opened, those that go are closed.</summary>
internal sealed class ListenerConfigurationSource : ConfigurationProvider, IConfigurationSource
{
    public IConfigurationProvider Build(IConfigurationBuilder builder) => this;

    /// <summary>Sets the listeners and lets Kestrel know; nothing happens when they are the same.</summary>
    public bool Set(ImmutableArray<ListenerBinding> bindings)
    {
        var data = new Dictionary<string, string?>(StringComparer.OrdinalIgnoreCase);
        // Kestrel tells endpoints apart by name: one that moves is a new one.
        foreach (var binding in bindings)
        {
            var name = $"Endpoints:{(binding.IsAdmin ? "admin" : binding.IsTls ? "tls" : "listener")}-{binding.Address.Port}";
            data[$"{name}:Url"] = binding.Url;
            if (binding.IsHttp2) data[$"{name}:Protocols"] = "Http2";
        }

        if (Same(data)) return false;
        Data = data;
        OnReload();
        return true;
    }

    private bool Same(Dictionary<string, string?> data)
    {
        if (data.Count != Data.Count) return false;
        foreach (var (key, value) in data)
        {
            if (!Data.TryGetValue(key, out var old) || old != value) return false;
        }

        return true;
    }
}
