using System.Collections.Immutable;

namespace Mesh.Core.Endpoints;

/// <summary>How ready an endpoint is for a LoRA adapter.</summary>
internal enum AdapterState
{
    /// <summary>Requests with it run there.</summary>
    Active,

    /// <summary>It can be loaded at once.</summary>
    FreeSlot,

    /// <summary>Requests with it wait there for a slot.</summary>
    Waiting,

    /// <summary>Every slot belongs to another.</summary>
    Full,
}

/// <summary>
/// The LoRA adapters of one endpoint: those of the requests that are in flight there, which the router knows exactly, and those that its
/// last sample names while it counts. A batch holds few, so that lists are walked.
/// </summary>
internal sealed class EndpointAdapters
{
    private readonly List<(string Name, int Requests)> _inFlight = [];

    public void Add(string adapter)
    {
        var index = IndexOf(adapter);
        if (index < 0) _inFlight.Add((adapter, 1));
        else _inFlight[index] = (adapter, _inFlight[index].Requests + 1);
    }

    public void Remove(string adapter)
    {
        var index = IndexOf(adapter);
        var left = _inFlight[index].Requests - 1;
        if (left > 0)
        {
            _inFlight[index] = (adapter, left);
            return;
        }
        _inFlight[index] = _inFlight[^1];
        _inFlight.RemoveAt(_inFlight.Count - 1);
    }

    /// <summary>State of an adapter. Where the number of slots is not known, one is taken to be free.</summary>
    /// <param name="adapter">The adapter.</param>
    /// <param name="sample">Last sample; null when it no longer counts.</param>
    public AdapterState StateOf(string adapter, EndpointSample? sample)
    {
        if (IndexOf(adapter) >= 0) return AdapterState.Active;
        if (sample is null) return AdapterState.FreeSlot;
        var loaded = 0;
        if (!sample.RunningAdapters.IsDefaultOrEmpty)
        {
            foreach (var running in sample.RunningAdapters)
            {
                if (running == adapter) return AdapterState.Active;
            }
            loaded = sample.RunningAdapters.Length;
        }
        if (sample.MaxLoras is not { } slots) return AdapterState.FreeSlot;
        foreach (var (name, _) in _inFlight)
        {
            if (!Contains(sample.RunningAdapters, name)) loaded++;
        }
        if (loaded < slots) return AdapterState.FreeSlot;
        return Contains(sample.WaitingAdapters, adapter) ? AdapterState.Waiting : AdapterState.Full;
    }

    private static bool Contains(ImmutableArray<string> names, string name)
    {
        if (names.IsDefaultOrEmpty) return false;
        foreach (var other in names)
        {
            if (other == name) return true;
        }
        return false;
    }

    private int IndexOf(string adapter)
    {
        for (var i = 0; i < _inFlight.Count; i++)
        {
            if (_inFlight[i].Name == adapter) return i;
        }
        return -1;
    }
}
