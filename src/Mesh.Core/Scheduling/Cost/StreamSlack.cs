namespace Mesh.Core.Scheduling.Cost;

/// <summary>
/// How much time the streams of one endpoint have left before their time per token is over the target, and how many of them a further
/// prompt would push over it. Tokens are not reported while a stream runs: they follow from the predicted time of the steps. As time
/// passes every stream gains time and tokens alike, so that their order never changes: each keeps one number, <c>first token − target ·
/// tokens of the endpoint until then</c>, in a sorted list. Times are milliseconds since the pool's start. Not thread-safe.
/// </summary>
internal sealed class StreamSlack
{
    // A stream that has just begun is not given up at once: so many tokens ahead are taken for granted.
    private const double TokensAhead = 10;
    private double[] _amounts = [];
    private int _count;
    private double _tokens;
    private double _countedAtMs;

    /// <summary>Tokens that a stream which has been there from the first has been predicted to get.</summary>
    public double Tokens => _tokens;

    /// <summary>The same by the step-time table alone, whatever was believed about the endpoint's speed at the time.</summary>
    public double TableTokens { get; private set; }

    /// <summary>Counts the tokens that a stream has got since the last call, one for each step.</summary>
    /// <param name="stepMs">Predicted time of a step since then; 0 when none was made.</param>
    /// <param name="tableStepMs">The same by the step-time table.</param>
    /// <param name="nowMs">Now.</param>
    public void Advance(double stepMs, double tableStepMs, double nowMs)
    {
        if (stepMs > 0) _tokens += (nowMs - _countedAtMs) / stepMs;
        if (tableStepMs > 0) TableTokens += (nowMs - _countedAtMs) / tableStepMs;
        _countedAtMs = nowMs;
    }

    /// <summary>A stream begins: its first token has come. The number that it is known by.</summary>
    public double Add(double targetMs, double nowMs) => Insert(nowMs - targetMs * (_tokens - 1));

    /// <summary>A stream is taken over that began at <paramref name="begunMs"/> and has had so many tokens since; the number that it is known by.</summary>
    public double Resume(double targetMs, double begunMs, double tokens) => Insert(begunMs - targetMs * (_tokens - tokens - 1));

    /// <summary>A stream has ended.</summary>
    public void Remove(double amount)
    {
        var at = CountBelow(amount);
        if (at == _count || _amounts[at] != amount) return;
        _count--;
        Array.Copy(_amounts, at + 1, _amounts, at, _count - at);
    }

    /// <summary>
    /// Streams whose time per token, within the target so far and through the work outstanding, would be over it once a prompt more has been
    /// computed here. A stream's slack is <c>target · (tokens + 10) − (time since its first token + wait + 10 · step)</c>; those with a slack
    /// from 0 up to what the prompt takes from them are counted.
    /// </summary>
    /// <param name="targetMs">Target of time per token.</param>
    /// <param name="waitMs">Prompt work outstanding.</param>
    /// <param name="ownMs">Work of the prompt.</param>
    /// <param name="promptSteps">Steps that it takes, as a fraction.</param>
    /// <param name="stepMs">Time of a decode step with one stream more.</param>
    /// <param name="nowMs">Now.</param>
    public int PushedOver(double targetMs, double waitMs, double ownMs, double promptSteps, double stepMs, double nowMs)
    {
        var takenMs = ownMs - Math.Min(TokensAhead, promptSteps) * stepMs;
        if (takenMs <= 0 || _count == 0) return 0;
        var noSlack = nowMs + waitMs + TokensAhead * stepMs - targetMs * (_tokens + TokensAhead);
        return CountBelow(noSlack + takenMs) - CountBelow(noSlack);
    }

    private double Insert(double amount)
    {
        if (_count == _amounts.Length) Array.Resize(ref _amounts, Math.Max(16, 2 * _count));
        var at = CountBelow(amount);
        Array.Copy(_amounts, at, _amounts, at + 1, _count - at);
        _amounts[at] = amount;
        _count++;
        return amount;
    }

    private int CountBelow(double value)
    {
        var low = 0;
        var high = _count;
        while (low < high)
        {
            var middle = (low + high) >> 1;
            if (_amounts[middle] < value) low = middle + 1;
            else high = middle;
        }

        return low;
    }
}
