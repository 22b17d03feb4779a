using Mesh.Simulation.World;

namespace Mesh.Simulation.Fleets;

/// <summary>The requests on their way, by slot. It grows to the most that are on their way at once, and allocates no more then. Not thread-safe.</summary>
internal sealed class TravellerTable
{
    private readonly List<Traveller> _travellers = [];
    private readonly Stack<int> _unused = new();

    /// <summary>Requests on their way.</summary>
    public int Count => _travellers.Count - _unused.Count;

    public Traveller this[int slot] => _travellers[slot];

    /// <summary>The traveller of a request.</summary>
    public Traveller Of(WorldRequest request) => _travellers[request.Slot];

    /// <summary>Takes one for a request that begins.</summary>
    public Traveller Rent()
    {
        if (_unused.TryPop(out var slot)) return _travellers[slot];
        var traveller = new Traveller(new WorldRequest(_travellers.Count));
        _travellers.Add(traveller);
        return traveller;
    }

    /// <summary>Gives one back whose request has ended: whatever is still on its way to or from it is void.</summary>
    public void Return(Traveller traveller)
    {
        traveller.Request.Stage = RequestStage.None;
        traveller.IsInEngine = false;
        traveller.Version++;
        _unused.Push(traveller.Request.Slot);
    }
}
