using Mesh.Core.PrefixCache;

namespace Mesh.Core.Scheduling.Cost;

/// <summary>The least work that a prompt can be where at most so many of its blocks are held, computed once for each number. Not thread-safe.</summary>
internal sealed class LeastWork(WorkCurve curve)
{
    private Entry[] _byHeld = [];
    private PrefixLayout _layout = PrefixLayout.Growing;
    private int _promptTokens;
    private long _decision;

    /// <summary>Begins with another prompt.</summary>
    public void Start(PrefixLayout layout, int promptTokens)
    {
        if (_byHeld.Length <= layout.MaxBlocks) _byHeld = new Entry[layout.MaxBlocks + 1];
        _layout = layout;
        _promptTokens = Math.Max(1, promptTokens);
        _decision++;
    }

    /// <summary>Least time by the step-time table, and least engine steps.</summary>
    public (double TableMs, int Steps) Of(int held)
    {
        ref var entry = ref _byHeld[held];
        if (entry.Decision != _decision)
        {
            var cached = Math.Min(_layout.TokensIn(held), _promptTokens - 1);
            entry = new Entry { Decision = _decision, TableMs = curve.LeastPromptMs(_promptTokens - cached, cached), Steps = WorkCurve.Steps(_promptTokens - cached) };
        }

        return (entry.TableMs, entry.Steps);
    }

    private struct Entry
    {
        public long Decision;
        public double TableMs;
        public int Steps;
    }
}
