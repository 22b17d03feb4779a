using Mesh.Gateway.Hosting;

RuntimeSettings.Apply();
return await GatewayProcess.RunAsync(args, Console.Out, Console.Error);
