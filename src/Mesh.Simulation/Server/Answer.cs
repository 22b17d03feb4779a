using System.Text;
using Mesh.Simulation.Model;
using Mesh.Simulation.Tokens;

namespace Mesh.Simulation.Server;

/// <summary>
/// One choice of a response: its text is known from the beginning, the engine says how much of it exists. The engine's thread writes
/// <see cref="Ready"/> and the end, the response's task reads them.
/// </summary>
internal sealed class Answer(Generation generation, int index, int[] tokens, FinishReason ends, int visibleChars, string echo)
{
    private volatile int _ready;
    private volatile bool _finished;

    public Generation Generation => generation;

    /// <summary>Place among the response's choices.</summary>
    public int Index => index;

    public int[] Tokens => tokens;

    /// <summary>Tokens of the prompt that it answers.</summary>
    public int[] Prompt { get; init; } = [];

    /// <summary>Adapter that writes it; null for the base model.</summary>
    public string? Adapter { get; init; }

    /// <summary>What keeps its prompt's cache apart from others'; null without.</summary>
    public string? CacheSalt { get; init; }

    public FinishReason Ends => ends;

    /// <summary>Text that goes before the answer's own.</summary>
    public string Echo => echo;

    public SequenceHandle Handle { get; set; }

    /// <summary>Tokens generated so far.</summary>
    public int Ready => _ready;

    public bool Finished => _finished;

    public FinishReason Reason { get; private set; }

    public int CachedTokens { get; private set; }

    /// <summary>Tokens already sent to the client of a stream.</summary>
    public int Sent { get; set; }

    /// <summary>Characters already sent, held back ones included.</summary>
    public int SentChars { get; set; }

    public void Progress(in SequenceProgress progress)
    {
        CachedTokens = progress.CachedTokens;
        _ready = progress.GeneratedTokens;
    }

    public void Finish(FinishReason reason)
    {
        Reason = reason;
        _finished = true;
    }

    /// <summary>The whole text.</summary>
    public string Text()
    {
        var text = Tokenizer.Text(tokens.AsSpan(0, _ready));
        return echo + (text.Length > visibleChars ? text[..visibleChars] : text);
    }

    /// <summary>Appends the text of token <paramref name="token"/>, cut where the answer's visible text ends.</summary>
    public void AppendText(StringBuilder text, int token)
    {
        var start = text.Length;
        Token.Append(text, tokens[token]);
        var length = text.Length - start;
        var visible = Math.Clamp(visibleChars - SentChars, 0, length);
        text.Length = start + visible;
        SentChars += length;
    }
}
