using Mesh.Simulation.Faults.Processes;
using Mesh.Simulation.Faults.Script;

namespace Mesh.Simulation.Faults;

/// <summary>Lets the faults of a plan happen, and pass.</summary>
internal sealed class FaultInjector(FaultWorld world)
{
    private readonly int[] _slow = new int[world.Endpoints.Length];
    private readonly int[] _hung = new int[world.Endpoints.Length];
    private readonly int[] _down = new int[world.Endpoints.Length];
    private readonly int[] _asleep = new int[world.Endpoints.Length];

    public void Schedule()
    {
        foreach (var fault in world.Plan.Faults) world.Time.At(fault.AtMs, () => Happen(fault));
    }

    private void Happen(Fault fault)
    {
        world.Journal.Note($"FAULT {fault}");
        var endpoint = world.Endpoints[fault.Target % world.Endpoints.Length];
        var region = world.Regions[fault.Target % world.Regions.Length];
        var gatewayRegion = world.Regions[fault.Target / world.Plan.GatewaysPerRegion % world.Regions.Length];
        var gateway = fault.Target % world.Plan.GatewaysPerRegion;
        switch (fault.Kind)
        {
            case FaultKind.EndpointCrash:
                Last(fault, on => Switch(_down, endpoint, on, down =>
                {
                    if (down) endpoint.Crash();
                    else endpoint.Start();
                }));
                break;
            case FaultKind.EndpointHang:
                Last(fault, on => Switch(_hung, endpoint, on, _ => SetRate(endpoint)));
                break;
            case FaultKind.EndpointSlow:
                Last(fault, on => Switch(_slow, endpoint, on, _ => SetRate(endpoint)));
                break;
            case FaultKind.EndpointSleep:
                Last(fault, on => Switch(_asleep, endpoint, on, endpoint.Sleep));
                break;
            case FaultKind.EndpointErrors:
                Last(fault, on => endpoint.Erring += on ? 1 : -1);
                break;
            case FaultKind.EndpointFull:
                Last(fault, on => endpoint.Full += on ? 1 : -1);
                break;
            case FaultKind.MetricsMissing:
                Last(fault, on => endpoint.MetricsMissing += on ? 1 : -1);
                break;
            case FaultKind.MetricsLate:
                Last(fault, on => endpoint.MetricsLate += on ? 1 : -1);
                break;
            case FaultKind.MetricsPartial:
                Last(fault, on => endpoint.MetricsPartial += on ? 1 : -1);
                break;
            case FaultKind.GatewayCrash:
                gatewayRegion.CrashGateway(gateway);
                world.Time.After(fault.DurationMs, () => gatewayRegion.StartGateway(gateway));
                break;
            case FaultKind.GatewayCut:
                gatewayRegion.Gateways[gateway]?.CutFromEngine(world.Time.NowMs + fault.DurationMs);
                break;
            case FaultKind.EngineRestart:
                region.CrashEngine();
                world.Time.After(fault.DurationMs, region.StartEngine);
                break;
            case FaultKind.RegionCut:
                world.Network.Cut(region.Number, world.Time.NowMs + fault.DurationMs);
                break;
            case FaultKind.EndpointRemoved:
                Last(fault, on =>
                {
                    world.Fleet.Remove(endpoint.Number, on ? 1 : -1);
                    world.Publish();
                });
                break;
            case FaultKind.PolicyChange:
                ChangePolicy(region.Number);
                world.Publish();
                world.Time.After(fault.DurationMs, () =>
                {
                    world.Fleet.SetPolicy(region.Number, 1, world.Plan.MaxInFlight, world.Plan.MaxRate);
                    world.Publish();
                });
                break;
            case FaultKind.ModelsChange:
                Last(fault, on => endpoint.Models = world.DrawModels(endpoint, change: on));
                break;
            case FaultKind.ClientsLeave:
                if (gatewayRegion.Gateways[gateway] is not { } left) break;
                foreach (var request in left.Open.ToArray()) left.ClientLeaves(request);
                break;
            default:
                throw new InvalidOperationException($"{fault.Kind} is not known here.");
        }
    }

    // A world of rates has other rates, or targets of another kind now and then.
    private void ChangePolicy(int region)
    {
        var scaler = world.Random.NextInt32(4) switch { 0 => 0, 1 => 0.5, _ => 1 };
        int? maxInFlight = world.Random.NextInt32(3) == 0 ? null : 1 + world.Random.NextInt32(5);
        if (world.Plan.MaxRate is null || world.Random.NextInt32(4) == 0) world.Fleet.SetPolicy(region, scaler, maxInFlight, null);
        else world.Fleet.SetPolicy(region, scaler, null, 0.5 + world.Random.NextInt32(20));
    }

    private void Last(Fault fault, Action<bool> set)
    {
        set(true);
        world.Time.After(fault.DurationMs, () =>
        {
            world.Journal.Note($"PASSED {fault}");
            set(false);
        });
    }

    // Faults of one kind may overlap: it is over when the last of them is.
    private static void Switch(int[] counts, EndpointProcess endpoint, bool on, Action<bool> set)
    {
        var before = counts[endpoint.Number];
        counts[endpoint.Number] += on ? 1 : -1;
        if ((before > 0) != (counts[endpoint.Number] > 0)) set(on);
    }

    private void SetRate(EndpointProcess endpoint) =>
        endpoint.SetRate(_hung[endpoint.Number] > 0 ? 0 : _slow[endpoint.Number] > 0 ? 1.0 / 8 : 1);
}
