using Mesh.Core.StepTimes;
using Mesh.Simulation.World;

namespace Mesh.Simulation.Baselines;

/// <summary>What the least-cost routers keep of one endpoint, all of it from their own requests: prompts sent and not answered, and streams. Not thread-safe.</summary>
internal sealed class StudyEndpoint(StepTimeTable table, int chunkTokens)
{
    private readonly List<(int Slot, double OwnMs, int Tokens)> _prefills = [];
    private double _ownMs;
    private long _prefillTokens;
    private double _headSinceMs;
    private double _stepMs;
    private bool _stepIsKnown;

    /// <summary>Requests that were sent and have not ended.</summary>
    public int Streams { get; private set; }

    /// <summary>Prompt tokens of those.</summary>
    public long ContextTokens { get; private set; }

    /// <summary>Time of a decode step of every stream sent here.</summary>
    public double StepMs
    {
        get
        {
            if (!_stepIsKnown)
            {
                _stepMs = StepMsWith(0, 0);
                _stepIsKnown = true;
            }

            return _stepMs;
        }
    }

    /// <summary>Time of a decode step with more streams.</summary>
    public double StepMsWith(int streams, long contextTokens) =>
        Streams + streams == 0 ? 0 : table.DecodeMs(Streams + streams, (double)(ContextTokens + contextTokens) / (Streams + streams));

    /// <summary>Time until everything sent here has answered: its compute, with the decode work beside it, less what the first one has had.</summary>
    public double WaitMs(double nowMs)
    {
        if (_prefills.Count == 0) return 0;
        var beside = BesideMs;
        var headMs = _prefills[0].OwnMs + (_prefills[0].Tokens * beside / chunkTokens);
        var allMs = _ownMs + (_prefillTokens * beside / chunkTokens);
        return allMs - Math.Min(headMs, nowMs - _headSinceMs);
    }

    /// <summary>A request goes here.</summary>
    public void Send(WorldRequest request, double ownMs, int uncachedTokens, double nowMs)
    {
        if (_prefills.Count == 0) _headSinceMs = nowMs;
        _prefills.Add((request.Slot, ownMs, uncachedTokens));
        _ownMs += ownMs;
        _prefillTokens += uncachedTokens;
        Streams++;
        ContextTokens += request.PromptTokens;
        _stepIsKnown = false;
    }

    /// <summary>A request has answered.</summary>
    public void Answer(WorldRequest request, double nowMs)
    {
        for (var i = 0; i < _prefills.Count; i++)
        {
            if (_prefills[i].Slot != request.Slot) continue;
            _ownMs -= _prefills[i].OwnMs;
            _prefillTokens -= _prefills[i].Tokens;
            _prefills.RemoveAt(i);
            if (i == 0) _headSinceMs = nowMs;
            break;
        }

        if (_prefills.Count == 0) _ownMs = 0;
    }

    /// <summary>A request has ended.</summary>
    public void End(WorldRequest request)
    {
        Streams--;
        ContextTokens -= request.PromptTokens;
        _stepIsKnown = false;
    }

    // Decode time that each chunk's step has on top of the chunk.
    private double BesideMs => Math.Max(0, StepMs - table.DecodeMs(1, 1));
}
