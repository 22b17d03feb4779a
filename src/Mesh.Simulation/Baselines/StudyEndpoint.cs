using Mesh.Core.StepTimes;
using Mesh.Simulation.World;

namespace Mesh.Simulation.Baselines;

/// <summary>What the least-cost routers keep of one endpoint, all of it from their own requests: prompts sent and not answered, and streams. Not thread-safe.</summary>
internal sealed class StudyEndpoint(StepTimeTable table, int chunkTokens, double targetTpotMs)
{
    // A stream that has just begun is not given up at once.
    private const double TokensAhead = 10;

    private readonly List<(int Slot, double OwnMs, int Tokens)> _prefills = [];
    private readonly List<double> _answering = [];
    private double _tokens;
    private double _tokensAtMs;
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
        CountTokens(nowMs);
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
        CountTokens(nowMs);
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
        // Its first token has come. As time passes every stream here gains time and tokens alike, so their order never changes.
        request.RouterAmount = nowMs - (targetTpotMs * (_tokens - 1));
        var at = _answering.BinarySearch(request.RouterAmount);
        _answering.Insert(at < 0 ? ~at : at, request.RouterAmount);
    }

    /// <summary>A request has ended.</summary>
    public void End(WorldRequest request, double nowMs)
    {
        CountTokens(nowMs);
        _answering.RemoveAt(_answering.BinarySearch(request.RouterAmount));
        Streams--;
        ContextTokens -= request.PromptTokens;
        _stepIsKnown = false;
    }

    /// <summary>
    /// Streams whose time per token, within the target so far and through the work outstanding, would be over it once a prompt more has been
    /// computed here. A stream's slack is <c>target · (tokens + 10) − (time since its first token + wait + 10 · step)</c>; those with a slack
    /// from 0 up to what the prompt takes from them are counted. Tokens are not reported: they follow from the predicted time of the steps.
    /// </summary>
    public int PushedOver(double waitMs, double ownMs, int uncachedTokens, double nowMs)
    {
        CountTokens(nowMs);
        var stepMs = StepMsWith(1, uncachedTokens);
        var takenMs = ownMs - (Math.Min(TokensAhead, (double)uncachedTokens / chunkTokens) * stepMs);
        if (takenMs <= 0 || _answering.Count == 0) return 0;
        var noSlack = nowMs + waitMs + (TokensAhead * stepMs) - (targetTpotMs * (_tokens + TokensAhead));
        return CountBelow(noSlack + takenMs) - CountBelow(noSlack);
    }

    private int CountBelow(double value)
    {
        var low = 0;
        var high = _answering.Count;
        while (low < high)
        {
            var middle = (low + high) >> 1;
            if (_answering[middle] < value) low = middle + 1;
            else high = middle;
        }

        return low;
    }

    // Tokens that a stream has got which was here from the beginning: one per step, and steps with a prompt's chunk take longer.
    private void CountTokens(double nowMs)
    {
        var stepMs = _prefills.Count == 0 ? StepMs : table.PrefillMs(Math.Min(chunkTokens, _prefillTokens)) + BesideMs;
        if (stepMs > 0) _tokens += (nowMs - _tokensAtMs) / stepMs;
        _tokensAtMs = nowMs;
    }

    // Decode time that each chunk's step has on top of the chunk.
    private double BesideMs => Math.Max(0, StepMs - table.DecodeMs(1, 1));
}
