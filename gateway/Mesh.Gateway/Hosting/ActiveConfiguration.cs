using Mesh.Core.Config;
using Mesh.Engine;
using Mesh.Gateway.Drains;
using Mesh.Gateway.Keys;

namespace Mesh.Gateway.Hosting;

/// <summary>The configuration in force. Readers take <see cref="Current"/> once and keep it for the whole request.</summary>
internal sealed class ActiveConfiguration
{
    private readonly GatewayOptions _options;
    private readonly IMeshEngine _engine;
    private readonly DrainBook? _drains;
    private readonly Lock _gate = new();
    private volatile RoutingState _current;
    private volatile MeshConfig _declared;

    /// <param name="first">Configuration that the engine has already, without drains; <see cref="Reapply"/> lays them over it.</param>
    /// <param name="options">Options.</param>
    /// <param name="engine">Engine.</param>
    /// <param name="drains">What operators have drained; null for nothing.</param>
    public ActiveConfiguration(RoutingState first, GatewayOptions options, IMeshEngine engine, DrainBook? drains = null)
    {
        _options = options;
        _engine = engine;
        _drains = drains;
        _current = first;
        _declared = first.Config;
    }

    /// <summary>Raised before the engine has a new configuration that can be used, on the caller's thread.</summary>
    public event Action<MeshConfig>? Preparing;

    /// <summary>Raised after the swap, on the caller's thread, with the listeners that should now be open.</summary>
    public event Action<RoutingState>? Changed;

    /// <summary>Raised after the swap, on the caller's thread, with the configuration before and the one in force now.</summary>
    public event Action<RoutingState, RoutingState>? Replaced;

    public RoutingState Current => _current;

    /// <summary>The configuration as the manifests have it, before drains are laid over it.</summary>
    public MeshConfig Declared => _declared;

    /// <summary>Puts a new configuration in force; throws, and changes nothing, when it cannot be compiled.</summary>
    /// <exception cref="ArgumentException">A pattern of a route cannot be compiled.</exception>
    /// <exception cref="GatewayConfigurationException">A listener has no address.</exception>
    public void Apply(MeshConfig config)
    {
        lock (_gate)
        {
            Put(config);
            _declared = config;
        }
    }

    /// <summary>Lays the drains, which have changed, over the configuration anew.</summary>
    public void Reapply()
    {
        lock (_gate) Put(_declared);
    }

    // The one place where drains meet manifests: a reload cannot lose them.
    private void Put(MeshConfig declared)
    {
        var config = _drains?.Overlay(declared) ?? declared;
        // Compiled first: what cannot be routed must not reach the engine either.
        var next = new RoutingState(config, _options);
        OpenAddresses.Check(_options.Keys, next.Bindings);
        Preparing?.Invoke(config);
        // The engine first: a new route must find its new pool. A request that still goes by the old routes to a pool
        // that is gone looks its route up again.
        _engine.Reconfigure(config);
        var before = _current;
        _current = next;
        Replaced?.Invoke(before, next);
        Changed?.Invoke(next);
    }
}
