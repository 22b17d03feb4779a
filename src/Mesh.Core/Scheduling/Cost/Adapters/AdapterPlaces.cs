using Mesh.Core.PrefixCache.Crowds;

namespace Mesh.Core.Scheduling.Cost.Adapters;

/// <summary>The ready endpoints that have one LoRA adapter, or on which requests with it wait for a slot.</summary>
internal sealed class AdapterPlaces(int slots)
{
    /// <summary>The adapter's name.</summary>
    public string Name { get; private set; } = "";

    /// <summary>Their slots.</summary>
    public Crowd Slots { get; } = new(slots);

    /// <summary>Those that have it.</summary>
    public int Having { get; private set; }

    /// <summary>Requests with it in flight on those.</summary>
    public int Requests { get; private set; }

    /// <summary>Begins as those of another adapter.</summary>
    public void Start(string name)
    {
        Name = name;
        Slots.Start(0);
        (Having, Requests) = (0, 0);
    }

    public void Add(int slot, bool has, int requests)
    {
        Slots.Add(slot);
        if (!has) return;
        Having++;
        Requests += requests;
    }

    public void Remove(int slot, bool has, int requests)
    {
        Slots.Remove(slot);
        if (!has) return;
        Having--;
        Requests -= requests;
    }
}
