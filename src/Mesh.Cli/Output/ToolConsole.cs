using System.Text;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace Mesh.Cli.Output;

/// <summary>Where a command writes: answers to one stream, problems to the other, both with colours only where a person looks on.</summary>
internal sealed class ToolConsole
{
    // Lines are never broken here: terminals do it for people, and what is piped stays one line each.
    private const int UnlimitedWidth = 100_000;

    private readonly bool _colourError;
    private readonly TextReader? _input;
    private readonly IAnsiConsole _styledOut;
    private readonly IAnsiConsole _styledError;

    /// <param name="output">Answers.</param>
    /// <param name="error">Problems.</param>
    /// <param name="colourOutput">Answers may carry colours.</param>
    /// <param name="colourError">Problems may carry colours.</param>
    /// <param name="input">What a command reads; null means the process's own.</param>
    public ToolConsole(TextWriter output, TextWriter error, bool colourOutput = false, bool colourError = false, TextReader? input = null)
    {
        _input = input;
        Out = output;
        Error = error;
        _colourError = colourError;
        _styledOut = Styled(output, colourOutput);
        _styledError = Styled(error, colourError);
    }

    /// <summary>What a command reads.</summary>
    public TextReader In => _input ?? Console.In;

    /// <summary>Answers, unstyled, as machines read them.</summary>
    public TextWriter Out { get; }

    /// <summary>Problems, unstyled.</summary>
    public TextWriter Error { get; }

    /// <summary>Variables of the environment; the process's own unless a test says otherwise.</summary>
    public Func<string, string?> Environment { get; init; } = System.Environment.GetEnvironmentVariable;

    /// <summary>A person sits before it: null where nobody does. Gives the key that was pressed, or null when none was.</summary>
    public Func<ConsoleKey?>? ReadKey { get; init; }

    /// <summary>Lines that fit on the screen.</summary>
    public Func<int> Height { get; init; } = static () => 24;

    /// <summary>Columns of the screen that answers are written on; null where they are not written on one.</summary>
    public Func<int?> Width { get; init; } = static () => null;

    /// <summary>Where progress is shown: beside the problems, and only where a person looks on; null shows none.</summary>
    public IAnsiConsole? Progress { get; private init; }

    /// <summary>The process's own streams.</summary>
    public static ToolConsole OfProcess()
    {
        Console.OutputEncoding = new UTF8Encoding(encoderShouldEmitUTF8Identifier: false);
        var colourError = ColourChoice.Decide(!Console.IsErrorRedirected, System.Environment.GetEnvironmentVariable);
        return new ToolConsole(
            Console.Out, Console.Error,
            ColourChoice.Decide(!Console.IsOutputRedirected, System.Environment.GetEnvironmentVariable),
            colourError)
        {
            ReadKey = Console.IsOutputRedirected || Console.IsInputRedirected ? null : static () => Console.KeyAvailable ? Console.ReadKey(intercept: true).Key : null,
            Height = static () => Math.Max(8, Console.WindowHeight),
            Width = static () => Console.IsOutputRedirected ? null : ScreenWidth(),
            Progress = colourError ? AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(Console.Error) }) : null,
        };
    }

    // A terminal that tells no width (or one of 0) has the usual one; COLUMNS goes before, as with other tools.
    private static int ScreenWidth() =>
        int.TryParse(System.Environment.GetEnvironmentVariable("COLUMNS"), out var told) && told > 0 ? told : Console.WindowWidth > 0 ? Console.WindowWidth : 80;

    /// <summary>A console whose answers go where the problems of this one go.</summary>
    public ToolConsole ForProblems() => new(Error, Error, _colourError, _colourError);

    /// <summary>Writes a part of a line of the answer.</summary>
    public void Write(string text, Style? style = null) => _styledOut.Write(new Text(Printable.Of(text), style));

    /// <summary>Writes a table of the answer. Texts in it have gone through <see cref="Printable"/>.</summary>
    public void WriteTable(IRenderable table) => _styledOut.Write(table);

    /// <summary>Ends a line of the answer.</summary>
    public void WriteLine(string text = "", Style? style = null)
    {
        if (text.Length > 0) Write(text, style);
        Out.Write('\n');
    }

    /// <summary>Tells of a problem and, in a second line, of what to do next.</summary>
    public void Problem(string message, string? next = null)
    {
        _styledError.Write(new Text("error", Palette.Error));
        _styledError.Write(new Text($": {Printable.Of(message)}"));
        Error.Write('\n');
        if (next is null) return;
        _styledError.Write(new Text("next", Palette.Hint));
        _styledError.Write(new Text($": {Printable.Of(next)}"));
        Error.Write('\n');
    }

    /// <summary>Tells of something that does not stop the command but should be known.</summary>
    public void Warning(string message)
    {
        _styledError.Write(new Text("warning", Palette.Warning));
        _styledError.Write(new Text($": {Printable.Of(message)}"));
        Error.Write('\n');
    }

    private static IAnsiConsole Styled(TextWriter writer, bool colours)
    {
        var console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Ansi = colours ? AnsiSupport.Yes : AnsiSupport.No,
            ColorSystem = colours ? ColorSystemSupport.Standard : ColorSystemSupport.NoColors,
            Interactive = InteractionSupport.No,
            Out = new AnsiConsoleOutput(writer),
        });
        console.Profile.Width = UnlimitedWidth;
        return console;
    }
}
