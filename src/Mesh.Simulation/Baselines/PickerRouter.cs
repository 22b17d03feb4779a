using Mesh.Core.Randomness;
using Mesh.Simulation.World;

namespace Mesh.Simulation.Baselines;

/// <summary>A router that sends every request at once; a subclass picks the endpoint from what its original can know.</summary>
internal abstract class PickerRouter(ulong seed) : IWorldRouter
{
    private IWorldHost? _host;

    public virtual double ScrapeIntervalMs => 0;

    protected IWorldHost Host => _host ?? throw new InvalidOperationException("The router was not started.");

    protected Xoshiro256 Random { get; } = new(seed);

    public void Start(IWorldHost host)
    {
        _host = host;
        OnStart(host);
    }

    public void OnArrival(WorldRequest request)
    {
        var endpoint = Pick(request);
        OnSent(request, endpoint);
        Host.Send(request, endpoint);
    }

    public virtual void OnFirstByte(WorldRequest request)
    {
    }

    public virtual void OnEnd(WorldRequest request)
    {
    }

    public virtual void OnScrape(int endpoint, in EngineGauges gauges)
    {
    }

    public void OnWake()
    {
    }

    protected virtual void OnStart(IWorldHost host)
    {
    }

    /// <summary>Endpoint for a request.</summary>
    protected abstract int Pick(WorldRequest request);

    /// <summary>The request goes to this endpoint now.</summary>
    protected virtual void OnSent(WorldRequest request, int endpoint)
    {
    }

    /// <summary>Index of the least value, ties at random.</summary>
    protected int Least(ReadOnlySpan<double> values)
    {
        var best = 0;
        var ties = 1;
        for (var i = 1; i < values.Length; i++)
        {
            if (values[i] > values[best]) continue;
            if (values[i] < values[best])
            {
                best = i;
                ties = 1;
            }
            else if (Random.NextInt32(++ties) == 0)
            {
                best = i;
            }
        }

        return best;
    }
}
