namespace Mesh.Simulation.Model;

/// <summary>Adapter slots of one engine: which adapters are loaded, running and waiting. An idle adapter stays loaded until its slot is needed, the longest idle first.</summary>
internal sealed class LoraSlots(int maxLoras)
{
    private readonly List<int> _loaded = new(maxLoras);
    private Counts[] _counts = [];

    /// <summary>Whether a sequence of this adapter can join the batch now.</summary>
    public bool HasRoom(int lora)
    {
        if (lora == 0 || _loaded.Count < maxLoras || _loaded.Contains(lora)) return true;
        foreach (var loaded in _loaded)
        {
            if (_counts[loaded].Running == 0) return true;
        }

        return false;
    }

    /// <summary>A sequence of this adapter joins the batch; says whether the adapter had to be loaded.</summary>
    public bool Enter(int lora)
    {
        if (lora == 0) return false;
        var wasLoaded = _loaded.Remove(lora);
        if (!wasLoaded && _loaded.Count == maxLoras) _loaded.RemoveAt(OldestIdle());
        // The list is in order of last use, so the newest goes to the end.
        _loaded.Add(lora);
        At(lora).Running++;
        return !wasLoaded;
    }

    public void Leave(int lora)
    {
        if (lora != 0) At(lora).Running--;
    }

    public void Wait(int lora, int change)
    {
        if (lora != 0) At(lora).Waiting += change;
    }

    /// <summary>Adds to <paramref name="into"/> the adapters with running or with waiting sequences, in order of their number.</summary>
    public void List(List<int> into, bool waiting)
    {
        for (var i = 1; i < _counts.Length; i++)
        {
            if ((waiting ? _counts[i].Waiting : _counts[i].Running) > 0) into.Add(i);
        }
    }

    private int OldestIdle()
    {
        for (var i = 0; i < _loaded.Count; i++)
        {
            if (_counts[_loaded[i]].Running == 0) return i;
        }

        throw new InvalidOperationException("Every adapter slot is in use.");
    }

    private ref Counts At(int lora)
    {
        if (lora >= _counts.Length) Array.Resize(ref _counts, lora + 1);
        return ref _counts[lora];
    }

    private struct Counts
    {
        public int Running;
        public int Waiting;
    }
}
